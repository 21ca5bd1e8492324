import type { IpcChannel, IpcContract } from '../contract/ipc.ts';
import { isAppUrl } from './origin.ts';

/** What the gate looks at of Electron's IpcMainInvokeEvent. */
export interface IpcSender {
  senderFrame: { url: string; parent: unknown } | null;
}

interface IpcRegistry {
  handle(channel: string, listener: (event: IpcSender, ...args: unknown[]) => unknown): void;
}

export interface IpcHandler<Channel extends IpcChannel> {
  /** The arguments as the contract types them, or undefined if they are anything else. */
  parse(args: unknown[]): IpcContract[Channel]['args'] | undefined;
  run(...args: IpcContract[Channel]['args']): Promise<IpcContract[Channel]['result']>;
}

export type IpcHandlers = { [Channel in IpcChannel]: IpcHandler<Channel> };

/** Only the main frame of a page of the app may call; a frame that is gone may not. */
export const isTrustedSender = ({ senderFrame }: IpcSender): boolean =>
  senderFrame !== null && senderFrame.parent === null && isAppUrl(senderFrame.url);

/** Registers every handler of the contract behind one check of the sender and one of the arguments. */
export function openIpcGate(registry: IpcRegistry, handlers: IpcHandlers): void {
  for (const channel of Object.keys(handlers) as IpcChannel[]) register(registry, channel, handlers[channel]);
}

function register<Channel extends IpcChannel>(
  registry: IpcRegistry,
  channel: Channel,
  handler: IpcHandler<Channel>,
): void {
  registry.handle(channel, async (event, ...args) => {
    if (!isTrustedSender(event)) throw new Error(`${channel}: not a page of the app`);
    const parsed = handler.parse(args);
    if (parsed === undefined) throw new Error(`${channel}: arguments refused`);
    return handler.run(...parsed);
  });
}
