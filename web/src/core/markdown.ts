/** Markdown as DOM nodes, never as HTML text: what an agent says cannot become markup that nobody meant. */
import { Lexer, type Token, type Tokens } from 'marked';
import { printable } from './printable.ts';

const TAGS: Record<string, string> = {
  paragraph: 'p',
  strong: 'strong',
  em: 'em',
  del: 'del',
  blockquote: 'blockquote',
};
const SAFE = /^(?:https?:|mailto:)/i;
const DEEPEST = 40;

export function markdown(text: string): DocumentFragment {
  const made = document.createDocumentFragment();
  append(made, new Lexer({ gfm: true }).lex(text), 0);
  return made;
}

function append(into: Node, tokens: Token[], depth: number): void {
  for (const token of tokens) into.appendChild(node(token, depth));
}

function element(name: string, tokens: Token[], depth: number): HTMLElement {
  const made = document.createElement(name);
  append(made, tokens, depth);
  return made;
}

function words(text: string): Text {
  return document.createTextNode(printable(text));
}

function node(token: Token, depth: number): Node {
  if (depth > DEEPEST) return words(token.raw);
  const next = depth + 1;
  const inner = 'tokens' in token ? token.tokens : undefined;
  switch (token.type) {
    case 'text':
    case 'escape':
      if (inner) {
        const made = document.createDocumentFragment();
        append(made, inner, next);
        return made;
      }
      return words(plain((token as Tokens.Text).text));
    case 'code': {
      const pre = document.createElement('pre');
      const code = document.createElement('code');
      code.textContent = printable((token as Tokens.Code).text);
      pre.tabIndex = 0;
      pre.append(code);
      return pre;
    }
    case 'codespan': {
      const code = document.createElement('code');
      code.textContent = printable(plain((token as Tokens.Codespan).text));
      return code;
    }
    case 'heading': {
      // The page has the headings above these.
      const made = element('p', inner ?? [], next);
      made.className = 'heading';
      return made;
    }
    case 'list': {
      const found = token as Tokens.List;
      const list = document.createElement(found.ordered ? 'ol' : 'ul');
      if (found.ordered && typeof found.start === 'number') (list as HTMLOListElement).start = found.start;
      for (const item of found.items) {
        const made = element('li', item.tokens, next);
        if (item.task) made.prepend(item.checked ? '☑ ' : '☐ ');
        list.append(made);
      }
      return list;
    }
    case 'checkbox':
      return document.createTextNode('');
    case 'link': {
      const made = document.createElement('a');
      append(made, inner ?? [], next);
      const target = (token as Tokens.Link).href;
      if (!SAFE.test(target)) return words(token.raw);
      made.href = target;
      made.rel = 'noopener noreferrer';
      made.target = '_blank';
      made.title = printable(target);
      return made;
    }
    case 'table': {
      const found = token as Tokens.Table;
      const table = document.createElement('table');
      const row = (cells: Tokens.TableCell[], name: string): void => {
        const line = table.insertRow();
        for (const cell of cells) line.append(element(name, cell.tokens, next));
      };
      row(found.header, 'th');
      for (const cells of found.rows) row(cells, 'td');
      return table;
    }
    case 'br':
      return document.createElement('br');
    case 'hr':
      return document.createElement('hr');
    case 'space':
      return document.createTextNode('');
    default: {
      // HTML and pictures too are shown as what was written.
      const tag = TAGS[token.type];
      return tag === undefined ? words(token.raw) : element(tag, inner ?? [], next);
    }
  }
}

const ENTITIES: Record<string, string> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
};
const plain = (text: string): string =>
  text.replace(/&(?:amp|lt|gt|quot|#39);/g, (found) => ENTITIES[found] ?? found);
