// What scrolls must be reachable by keys, though it is no button.
export const warningFilter = (warning) => warning.code !== 'a11y_no_noninteractive_tabindex';

// For svelte-check; the build has the same in vite.config.ts.
export default { compilerOptions: { fragments: 'tree', runes: true, warningFilter } };
