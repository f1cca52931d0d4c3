/** The script of the worker that holds the device: store, cryptography and connection live behind it. */
import { startWorker } from '@tacit/sdk/browser-worker'

startWorker()
