import express, { type Request, type RequestHandler } from 'express';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { StackAdmin, SysfsView } from '../../../shared/src/telemetry.ts';
import type { Access } from '../ops/access.ts';

/**
 * Lets only the administrator pass; the errno is the one that a system call would answer.
 * @throws WD_E_UNAUTHORIZED no token; WD_E_EACCES another one
 */
export function requireAdmin(req: Request, access: Access): void {
  if (access.isAdmin(req.headers.authorization)) return;
  const details = { errno: 'EACCES' };
  if (req.headers.authorization === undefined)
    throw new WarpDriveError('WD_E_UNAUTHORIZED', 'this needs the admin token', details);
  throw new WarpDriveError('WD_E_EACCES', 'this is not the admin token', details);
}

/**
 * Before a handler that needs the administrator's body: checks the token first, so that nobody else's body is read,
 * then lets a client that waits with `Expect: 100-continue` send it.
 */
export function adminBody(access: Access, parse: RequestHandler = express.json()): RequestHandler {
  return (req, res, next) => {
    requireAdmin(req, access);
    if (req.headers.expect !== undefined) res.writeContinue(); // Node lets no other expectation come here
    parse(req, res, next);
  };
}

/** A part of the stack that a host may lack. @throws WD_E_ENODEV */
export function needPart<Part extends SysfsView | StackAdmin>(part: Part | undefined): Part {
  if (part) return part;
  throw new WarpDriveError('WD_E_ENODEV', 'this host has no kernel model', { errno: 'ENODEV' });
}
