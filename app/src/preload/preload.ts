import { contextBridge, ipcRenderer } from 'electron';
import { type AppBridge, type IpcChannel, type IpcContract, RESUME_CHANNEL } from '../contract/ipc.ts';

const call = <Channel extends IpcChannel>(
  channel: Channel,
  ...args: IpcContract[Channel]['args']
): Promise<IpcContract[Channel]['result']> => ipcRenderer.invoke(channel, ...args);

// Plain functions only: neither ipcRenderer nor an event object crosses into the page.
const bridge: AppBridge = {
  openLink: (url) => call('link:open', url),
  saveExport: (fileName, bytes) => call('export:save', fileName, bytes),
  saveToken: (origin, token) => call('token:save', origin, token),
  loadToken: (origin) => call('token:load', origin),
  onResume: (callback) => {
    const listener = () => callback();
    ipcRenderer.on(RESUME_CHANNEL, listener);
    return () => ipcRenderer.off(RESUME_CHANNEL, listener);
  },
};

contextBridge.exposeInMainWorld('warpdrive', bridge);
