/** The only list of what crosses between the window and the main process. */
export interface IpcContract {
  /** Opens a https link in the user's browser; false when it is not allowed. */
  'link:open': { args: [url: string]; result: boolean };
  /** Writes a file where the user says, through the system's save dialog. */
  'export:save': { args: [fileName: string, bytes: Uint8Array]; result: 'saved' | 'cancelled' };
  /** Keeps the admin token of a service (its origin) in the system's key store; an empty one is forgotten. */
  'token:save': { args: [origin: string, token: string]; result: boolean };
  'token:load': { args: [origin: string]; result: string | undefined };
}
export type IpcChannel = keyof IpcContract;

/** Sent by the main process when the machine wakes up. */
export const RESUME_CHANNEL = 'power:resume';

/** `window.warpdrive` in the app; absent in a browser. */
export interface AppBridge {
  openLink(url: string): Promise<boolean>;
  saveExport(fileName: string, bytes: Uint8Array): Promise<'saved' | 'cancelled'>;
  saveToken(origin: string, token: string): Promise<boolean>;
  loadToken(origin: string): Promise<string | undefined>;
  /** Calls back after each wake-up; returns the unsubscribe function. */
  onResume(callback: () => void): () => void;
}
