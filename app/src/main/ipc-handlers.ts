import { isAllowedExternal } from './external-links.ts';
import type { IpcHandlers } from './ipc-gate.ts';
import { isExportName, MAX_EXPORT_BYTES } from './save-export.ts';

interface HandlerDeps {
  openExternal(url: string): Promise<void>;
  saveExport(name: string, bytes: Uint8Array): Promise<'saved' | 'cancelled'>;
  tokens: {
    save(origin: string, token: string): Promise<boolean>;
    load(origin: string): Promise<string | undefined>;
  };
}

const MAX_TOKEN_CHARS = 512;

/** What the main process does for the page. */
export function createIpcHandlers({ openExternal, saveExport, tokens }: HandlerDeps): IpcHandlers {
  return {
    'link:open': {
      parse: ([url, ...rest]) => (typeof url === 'string' && rest.length === 0 ? [url] : undefined),
      run: async (url) => {
        if (!isAllowedExternal(url)) return false;
        await openExternal(url);
        return true;
      },
    },
    'export:save': {
      parse: ([name, bytes, ...rest]) =>
        isExportName(name) &&
        bytes instanceof Uint8Array &&
        bytes.length <= MAX_EXPORT_BYTES &&
        rest.length === 0
          ? [name, bytes]
          : undefined,
      run: saveExport,
    },
    'token:save': {
      parse: ([origin, token, ...rest]) =>
        isOrigin(origin) && typeof token === 'string' && token.length <= MAX_TOKEN_CHARS && rest.length === 0
          ? [origin, token]
          : undefined,
      run: (origin, token) => tokens.save(origin, token),
    },
    'token:load': {
      parse: ([origin, ...rest]) => (isOrigin(origin) && rest.length === 0 ? [origin] : undefined),
      run: (origin) => tokens.load(origin),
    },
  };
}

/** True for `http://host:port` and `https://host`, written as URLs write their origin. */
function isOrigin(text: unknown): text is string {
  if (typeof text !== 'string' || text.length > 256 || !URL.canParse(text)) return false;
  const url = new URL(text);
  return /^https?:$/.test(url.protocol) && url.origin === text;
}
