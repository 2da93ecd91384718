/** Headers in which a refusal says why: `X-WebSocket-Reject-Reason`, `X-Error-Message` and the like. */
export const REASON_HEADER = /reason|error|^x-.*(message|detail)$/i;
