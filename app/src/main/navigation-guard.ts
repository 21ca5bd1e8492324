import type { WebContents } from 'electron';
import { isAllowedExternal } from './external-links.ts';
import { isAppUrl } from './origin.ts';

type Contents = Pick<WebContents, 'on' | 'setWindowOpenHandler'>;

/**
 * Keeps a page where it is: no navigation away from the app, no second window, no webview. A https link that asked
 * for a window goes to the user's browser instead.
 */
export function guardNavigation(contents: Contents, openExternal: (url: string) => void): void {
  const stay = (event: { preventDefault(): void; url: string }) => {
    if (!isAppUrl(event.url)) event.preventDefault();
  };
  contents.on('will-navigate', stay);
  contents.on('will-frame-navigate', stay);
  contents.on('will-redirect', stay);
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(({ url }) => {
    if (isAllowedExternal(url)) openExternal(url);
    return { action: 'deny' };
  });
}
