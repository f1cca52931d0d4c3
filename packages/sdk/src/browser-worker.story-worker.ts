/** The worker of the tests about the whole device: the real one, with a server that is not there. */
import { startWorker } from './browser-worker.ts'

startWorker({ scope: self.name, server: 'http://127.0.0.1:9' })
