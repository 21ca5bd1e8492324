/** The app's own scheme and host. The service lists this origin as allowed (service/src/ops/access.ts). */
export const APP_SCHEME = 'warpdrive';
export const APP_HOST = 'monitor';
export const APP_ORIGIN = `${APP_SCHEME}://${APP_HOST}`;

/** The address of the page that watches these services. */
export const pageUrl = (origins: readonly string[]): string =>
  `${APP_ORIGIN}/index.html?${new URLSearchParams(origins.map((origin) => ['service', origin])).toString()}`;

/** True for pages of the app. `URL.origin` is "null" for schemes that the parser does not know, so it is not asked. */
export function isAppUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (
    url.protocol === `${APP_SCHEME}:` && url.host === APP_HOST && url.username === '' && url.password === ''
  );
}
