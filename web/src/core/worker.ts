/** The one worker, made so that a page that requires Trusted Types allows it. */
import address from './diff-worker.ts?worker&url';

interface TypedPolicy {
  createScriptURL(url: string): string;
}

interface TypedFactory {
  createPolicy(name: string, rules: TypedPolicy): TypedPolicy;
}

const factory = (globalThis as { trustedTypes?: TypedFactory }).trustedTypes;
const policy = factory?.createPolicy('anyon', {
  createScriptURL(url) {
    if (new URL(url, location.href).origin !== location.origin) throw new TypeError(url);
    return url;
  },
});

export function diffWorker(): Worker {
  return new Worker(policy?.createScriptURL(address) ?? address, { type: 'module' });
}
