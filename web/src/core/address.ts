/** The address of what is shown: everything after `#`, so that one-time links keep it. */
import { Subject } from './signal.ts';

export type Place =
  | { screen: 'board'; project: string | null }
  | { screen: 'inbox' }
  | { screen: 'task'; id: string }
  | { screen: 'attempt'; id: string; entry: string | null; file: string | null };

export function read(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?');
  const [, first, id = ''] = path.split('/');
  const asked = new URLSearchParams(query);
  switch (first) {
    case 'inbox':
      return { screen: 'inbox' };
    case 'tasks':
      return { screen: 'task', id };
    case 'attempts':
      return { screen: 'attempt', id, entry: asked.get('entry'), file: asked.get('file') };
    default:
      return { screen: 'board', project: asked.get('project') };
  }
}

export const to = {
  board: (project: string | null = null): string => (project ? `#/?project=${project}` : '#/'),
  inbox: (): string => '#/inbox',
  task: (id: string): string => `#/tasks/${id}`,
  attempt: (id: string): string => `#/attempts/${id}`,
};

export const place = new Subject<Place>(read(location.hash));
window.addEventListener('hashchange', () => place.set(read(location.hash)));

export function go(address: string): void {
  location.hash = address;
}
