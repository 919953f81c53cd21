/** The little of the DOM that the page needs. */

type Child = Node | string | number;

/** @throws Error when there is none: then page and script are of two versions */
export function find<T extends HTMLElement = HTMLElement>(selector: string, within: ParentNode = document): T {
  const found = within.querySelector<T>(selector);
  if (!found) throw new Error(`no ${selector} on this page`);
  return found;
}

export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Record<string, string> = {},
  children: Child[] = [],
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.map((child) => (child instanceof Node ? child : String(child))));
  return made;
}

export const fill = (parent: HTMLElement, children: Node[]): void => parent.replaceChildren(...children);

/** One child per key, kept while its key is there, so that it can move and keeps the focus. @returns them in turn */
export function keep<T extends HTMLElement>(parent: HTMLElement, keys: string[], make: (key: string) => T): T[] {
  const had = new Map([...parent.children].map((child) => [(child as T).dataset.key, child as T]));
  const children = keys.map((key) => {
    const child = had.get(key) ?? make(key);
    child.dataset.key = key;
    return child;
  });
  if (children.length !== parent.children.length || children.some((child, index) => child !== parent.children[index]))
    parent.replaceChildren(...children);
  return children;
}
