/** The types of the API, as they are made from its declarations. */
export type * from '../../../clients/typescript/types.ts';
