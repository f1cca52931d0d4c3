/** The script of the worker that holds the device: store, cryptography and connection live behind it. */
import './without-eval.ts'
import { startWorker } from '@tacit/sdk/browser-worker'
import { tellOnlineChanges } from './online-changes.ts'

tellOnlineChanges()
startWorker()
