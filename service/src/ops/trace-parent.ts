/** W3C Trace Context: version, trace id, parent id, flags; unknown versions may go on after the flags. */
const FIELD = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-|$)/;

/** The caller's trace and span, for logs; undefined if there is no valid `traceparent`. */
export interface TraceParent {
  traceId: string;
  spanId: string;
}

export function traceParent(field: string | string[] | undefined): TraceParent | undefined {
  const match = typeof field === 'string' ? FIELD.exec(field) : null;
  return match?.[1] === undefined || match[2] === undefined
    ? undefined
    : { traceId: match[1], spanId: match[2] };
}
