/** True for links that may leave the app: plain https without credentials. */
export function isAllowedExternal(text: unknown): text is string {
  if (typeof text !== 'string' || text.length > 2_048 || !URL.canParse(text)) return false;
  const url = new URL(text);
  return url.protocol === 'https:' && url.username === '' && url.password === '';
}
