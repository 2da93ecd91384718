/** Headers in which a refusal says why: `X-WebSocket-Reject-Reason`, `X-Error-Message` and the like. */
export const REASON_HEADER = /reason|error|^x-.*(message|detail)$/i;

/** Of an attempt that this machine had not started when its deadline was over. */
export const NOT_RELEASED = 'not released before its deadline';
