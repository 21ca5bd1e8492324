/** The only list of what crosses between the window and the main process. */
export interface IpcContract {
  /** Opens a https link in the user's browser; false when it is not allowed. */
  'link:open': { args: [url: string]; result: boolean };
}
export type IpcChannel = keyof IpcContract;

/** Sent by the main process when the machine wakes up. */
export const RESUME_CHANNEL = 'power:resume';

/** `window.warpdrive` in the app; absent in a browser. */
export interface AppBridge {
  openLink(url: string): Promise<boolean>;
  /** Calls back after each wake-up; returns the unsubscribe function. */
  onResume(callback: () => void): () => void;
}
