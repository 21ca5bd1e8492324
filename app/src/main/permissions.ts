import type { Session } from 'electron';
import { isAppUrl } from './origin.ts';

/** Copying a line and, if the user switched it on, telling of an alarm: all that the page asks the system for. */
const GRANTED: ReadonlySet<string> = new Set(['clipboard-sanitized-write', 'notifications']);

export const isGranted = (permission: string, requestingUrl: string): boolean =>
  GRANTED.has(permission) && isAppUrl(requestingUrl);

type Permissions = Pick<
  Session,
  'setPermissionRequestHandler' | 'setPermissionCheckHandler' | 'setDevicePermissionHandler'
>;

/** Refuses every permission that is not on the list, to every page that is not the app's. */
export function guardPermissions(session: Permissions): void {
  session.setPermissionRequestHandler((_contents, permission, callback, details) =>
    callback(isGranted(permission, details.requestingUrl)),
  );
  session.setPermissionCheckHandler((_contents, permission, requestingOrigin, details) =>
    isGranted(permission, details.requestingUrl ?? requestingOrigin),
  );
  session.setDevicePermissionHandler(() => false);
}
