// Lets Node's test runner load TypeScript: types are taken off, nothing is checked.
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
