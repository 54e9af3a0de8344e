/** The agents that a person can choose from: those of this machine first, each with its variants. */
import type { UserSystemInfo } from '../core/types.ts';

export interface Choice {
  value: string;
  executor: string;
  variant: string | null;
  name: string;
  available: boolean;
  problem: string | null;
}

export function choices(info: UserSystemInfo): Choice[] {
  const made: Choice[] = [];
  for (const [executor, variants] of Object.entries(info.executors)) {
    const known = info.availability[executor];
    for (const variant of Object.keys(variants)) {
      if (executor === 'DEMO' && variant !== 'DEFAULT') continue;
      const name = executor.toLowerCase().replaceAll('_', ' ');
      made.push({
        value: `${executor}:${variant}`,
        executor,
        variant: variant === 'DEFAULT' ? null : variant,
        name: variant === 'DEFAULT' ? name : `${name}: ${variant.toLowerCase()}`,
        available: known?.available ?? false,
        problem: known?.problem ?? null,
      });
    }
  }
  return made.sort((a, b) => Number(b.available) - Number(a.available));
}
