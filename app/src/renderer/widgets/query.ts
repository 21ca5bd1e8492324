/** A field in which a part of the word is enough, or a number that must be the same. */
type Field = string | { exact: string };

/** A text to search in, and named fields for terms such as `state:started`. */
export interface Searchable {
  readonly text: string;
  fields: Readonly<Record<string, Field>>;
}

export type Query = (subject: Searchable) => boolean;

/**
 * What a person typed into a filter: words that must all occur, case aside. `name:word` looks at one field only, and
 * `-word` or `-name:word` must not occur. An unknown name is looked for as it stands, because addresses and queue ids
 * hold colons too.
 */
export function parseQuery(input: string): Query {
  const terms = input.toLowerCase().split(/\s+/).filter(Boolean).map(termOf);
  return (subject) => terms.every(({ isExcluded, matches }) => matches(subject) !== isExcluded);
}

function termOf(word: string): { isExcluded: boolean; matches: Query } {
  const isExcluded = word.length > 1 && word.startsWith('-');
  const term = isExcluded ? word.slice(1) : word;
  const colon = term.indexOf(':');
  const [name, value] = colon > 0 ? [term.slice(0, colon), term.slice(colon + 1)] : ['', term];
  const matches: Query = ({ text, fields }: Searchable) => {
    const field = name === '' ? undefined : fields[name];
    if (field === undefined) return text.toLowerCase().includes(term);
    return typeof field === 'string' ? field.toLowerCase().includes(value) : field.exact === value;
  };
  return { isExcluded, matches };
}
