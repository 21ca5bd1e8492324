import { isAllowedExternal } from './external-links.ts';
import type { IpcHandlers } from './ipc-gate.ts';

/** What the main process does for the page. */
export function createIpcHandlers(deps: { openExternal(url: string): Promise<void> }): IpcHandlers {
  return {
    'link:open': {
      parse: ([url, ...rest]) => (typeof url === 'string' && rest.length === 0 ? [url] : undefined),
      run: async (url) => {
        if (!isAllowedExternal(url)) return false;
        await deps.openExternal(url);
        return true;
      },
    },
  };
}
