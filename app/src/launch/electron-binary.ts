/** What the search for Electron's binary asks of the machine. */
export interface BinaryProbe {
  env: Readonly<Record<string, string | undefined>>;
  /** The text of a file of the `electron` package, or undefined. */
  readPackageFile(name: string): string | undefined;
  /** The path of a file of the `electron` package. */
  packagePath(name: string): string;
  exists(path: string): boolean;
}

/** Path of Electron's executable, or undefined: since Electron 42 npm installs the package without it. */
export function findElectronBinary(probe: BinaryProbe): string | undefined {
  const name = probe.readPackageFile('path.txt')?.trim() || 'electron';
  const override = probe.env['ELECTRON_OVERRIDE_DIST_PATH'];
  const path = override === undefined ? probe.packagePath(`dist/${name}`) : `${override}/${name}`;
  return probe.exists(path) ? path : undefined;
}

/** The lines for a person whose machine cannot get the binary. */
export const MISSING_BINARY = [
  'The Electron binary is not on this machine, and downloading it failed.',
  'The monitor itself needs no Electron: run `npm start` and open http://127.0.0.1:8080/monitor/ in a browser.',
  'For the app: allow access to github.com/electron/electron/releases, or set ELECTRON_MIRROR to a mirror,',
  'or ELECTRON_OVERRIDE_DIST_PATH to a folder that holds an unpacked Electron; then run this command again.',
].join('\n');
