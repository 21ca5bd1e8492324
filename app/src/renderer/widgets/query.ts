/** A text to search in, and named fields for terms such as `state:started`. */
export interface Searchable {
  text: string;
  fields: Readonly<Record<string, string>>;
}

export type Query = (subject: Searchable) => boolean;

/**
 * What a person typed into a filter: words that must all occur, case aside. `name:word` looks at one field only; an
 * unknown name is looked for as it stands, because addresses and queue ids hold colons too.
 */
export function parseQuery(input: string): Query {
  const terms = input.toLowerCase().split(/\s+/).filter(Boolean);
  return ({ text, fields }) =>
    terms.every((term) => {
      const colon = term.indexOf(':');
      const field = colon > 0 ? fields[term.slice(0, colon)] : undefined;
      return field === undefined
        ? text.toLowerCase().includes(term)
        : field.toLowerCase().includes(term.slice(colon + 1));
    });
}
