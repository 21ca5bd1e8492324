import { contentSecurityPolicy } from './content-security-policy.ts';
import { isAppUrl } from './origin.ts';
import { originsOf } from './service-url.ts';

/** Every file that the app's scheme serves; anything else does not exist. */
const ASSETS: ReadonlyMap<string, string> = new Map([
  ['/index.html', 'text/html; charset=utf-8'],
  ['/main.js', 'text/javascript; charset=utf-8'],
  ['/style.css', 'text/css; charset=utf-8'],
  ['/icon.svg', 'image/svg+xml'],
]);

interface AssetOptions {
  /** Reads a file of the renderer's folder by its plain name. */
  readAsset(name: string): Promise<Uint8Array>;
}

/** The handler of the app's scheme. The list above is the only way to a file, so no path can lead outside of it. */
export function createAssetHandler(options: AssetOptions): (request: Request) => Promise<Response> {
  const headers = {
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
  };
  const refuse = (status: number) => new Response(null, { status, headers });
  return async (request) => {
    if (request.method !== 'GET') return refuse(405);
    const path = isAppUrl(request.url) ? plainPath(request.url) : undefined;
    const contentType = path === undefined ? undefined : ASSETS.get(path);
    if (path === undefined || contentType === undefined) return refuse(404);
    try {
      const bytes = await options.readAsset(path.slice(1));
      const policy = contentSecurityPolicy(originsOf(request.url));
      return new Response(bytes.slice(), {
        headers: { ...headers, 'Content-Security-Policy': policy, 'Content-Type': contentType },
      });
    } catch {
      return refuse(404); // not built yet
    }
  };
}

/** The decoded path, or undefined for what decodes to something that could mean another path. */
function plainPath(text: string): string | undefined {
  try {
    const path = decodeURIComponent(new URL(text).pathname);
    return /[\\\0]|\.\.|\/\//.test(path) ? undefined : path;
  } catch {
    return undefined;
  }
}
