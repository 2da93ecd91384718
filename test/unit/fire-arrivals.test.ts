/** Arrivals over the transport that is used here by itself; over each of them in the long tests. */
import { openKernel } from '#dist/engine/transport/epoll/open-kernel.js';
import { arrivalTests } from './arrival-cases.js';

const kernel = await openKernel(`${process.platform}-${process.arch}`);
arrivalTests({ kernel: typeof kernel === 'string' ? null : kernel });
