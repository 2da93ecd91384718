/**
 * What the end of a connection after its 101 means by itself: the close code by RFC 6455 section 7.4 and the habits of
 * servers, and the reason beside it, which is better evidence than the code. Knows neither times nor counts.
 */
import type { CauseId } from '../causes.js';

export interface Meaning {
  readonly cause: CauseId;
  readonly confidence: number;
  /** After a colon, without a full stop. */
  readonly because: string;
  /** What the reason asks for, before the general remedy. */
  readonly lead?: string;
}

/** What a close code says, by RFC 6455 section 7.4 and the habits of servers. null: nothing by itself. */
function meaningOfWord(word: string): Meaning | null {
  const code = Number(word);
  if (word === 'rejected') {
    return {
      cause: 'rejected-after-accept',
      confidence: 0.9,
      because: 'the protocol of the session rejected the client',
    };
  }
  if (word === 'protocol') {
    return {
      cause: 'two-servers-answered',
      confidence: 0.5,
      because: 'what came after the 101 were no WebSocket frames',
    };
  }
  if (code === 1001 || code === 1012) {
    return {
      cause: 'server-restart',
      confidence: 0.85,
      because: code === 1001 ? '1001 says that the server goes away' : '1012 says that the service restarts',
    };
  }
  if (code === 1013) return { cause: 'connection-limit', confidence: 0.6, because: '1013 asks to try again later' };
  if (code === 1011 || code === 1014) {
    return {
      cause: 'cut-after-upgrade',
      confidence: 0.85,
      because: code === 1011 ? '1011 says that the server failed inside' : '1014 says that a gateway got a bad answer',
    };
  }
  if (code === 1002 || code === 1003 || code === 1007 || code === 1010) {
    return { cause: 'rejected-after-accept', confidence: 0.5, because: meaningOfRejection(code) };
  }
  if (code === 1008 || code >= 3000) {
    return { cause: 'rejected-after-accept', confidence: 0.88, because: meaningOfRejection(code) };
  }
  if (code === 1000 || code === 1005) {
    return {
      cause: 'cut-after-upgrade',
      confidence: 0.6,
      because: 'the server closed in an orderly way without a reason',
    };
  }
  return null;
}

function meaningOfRejection(code: number): string {
  if (code === 1008) return '1008 says that a policy of the application is violated (credentials, Origin, a rate)';
  if (code >= 3000) return `${code} is a code of the application, which accepted the handshake and rejected the client`;
  return `${code} says that the server rejects what the client speaks`;
}

interface CloseReading extends Meaning {
  readonly says: RegExp;
}

/** In order; what is told after a 101 in place of frames is a reason as well. */
const REASONS: readonly CloseReading[] = [
  {
    // engine.io writes a whole 400 into the tunnel.
    says: /Unsupported protocol version/i,
    cause: 'version-mismatch',
    confidence: 0.88,
    because: 'engine.io speaks another EIO than the query asks for',
    lead: 'Ask for the EIO that the server speaks: EIO=4 since socket.io 3.',
  },
  {
    says: /HTTP\/1\.[01] \d{3}/,
    cause: 'two-servers-answered',
    confidence: 0.88,
    because: 'those are the bytes of another answer to the same upgrade',
  },
  {
    // By its words alone: no handshake with another subprotocol was tried.
    says: /sub-?protocol/i,
    cause: 'subprotocol-required',
    confidence: 0.78,
    because: 'the reason is about the subprotocol',
  },
  {
    says: /too many (open )?(connections|sockets|clients|sessions|users)|max(imum)? (number of )?(connections|clients|sessions)|(connection|client|session|user)s? (limit|exceeded)/i,
    cause: 'connection-limit',
    confidence: 0.82,
    because: 'the reason names a limit of connections',
  },
  {
    says: /\borigin\b/i,
    cause: 'rejected-after-accept',
    confidence: 0.9,
    because: 'the reason is about the Origin',
    lead: 'Try --origin with the Origin of your site.',
  },
  {
    says: /\b(token|jwt|credentials?|unauthori[sz]ed|unauthenticated|authenticat|authori[sz]ation|auth|expired|forbidden|permission|not allowed|denied)/i,
    cause: 'rejected-after-accept',
    confidence: 0.88,
    because: 'the reason is about who the client is',
  },
];

/** Codes that say nothing of why, or too much: with them a reason speaks. Others mean what they mean. */
const OWN_MEANING = /^(1001|1011|1012|1014)$/;

/** null: neither code nor reason says anything. `reason` may be a sentence that holds it. */
export function meaningOfEnd(word: string, reason: string | null): Meaning | null {
  const isSilent = /^(fin|rst|tls|timeout-message|)$/.test(word);
  const said = reason === null || isSilent || OWN_MEANING.test(word) ? undefined : readingOf(reason);
  return said ?? meaningOfWord(word);
}

function readingOf(reason: string): Meaning | undefined {
  return REASONS.find(({ says }) => says.test(reason));
}

/** An orderly close as soon as the tunnel is open, to all: who accepts first and looks at path and token later ends so. */
export function rejectedAtOnce(word: string, reason: string | null): Meaning | null {
  if (!/^(1000|1005)$/.test(word) || (reason !== null && readingOf(reason) !== undefined)) return null;
  return {
    cause: 'rejected-after-accept',
    confidence: 0.68,
    because: 'as servers do that accept every handshake and look at its path or token afterwards',
  };
}
