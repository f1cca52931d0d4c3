/**
 * Serves the built web app. Files with a hash in their name never change and may be cached for ever; the page and the
 * service worker must be fetched anew each time. Paths of the app's own screens answer with the page.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../log.ts'
import type { Settings } from '../settings.ts'

const BESIDE_THE_SERVER = resolve(import.meta.dirname, '../../../../apps/web/dist')
const HASHED_FOLDER = '/assets/'

/** Screens have plain paths: no dot, so a file that is missing stays missing. */
const SCREEN = /^\/(?:[a-z][A-Za-z0-9_/-]*)?$/
const NOT_SCREENS = /^\/(?:v1|health|docs|assets|openapi|metrics)(?:\/|$)/
const NOT_THE_APP = /^\/(?:v1|health|docs|openapi|metrics)(?:[/.?]|$)/

/** Whether a request is for the app's page or one of its files, which are the same for everybody and touch no database. */
export const isOfTheApp = ({ method, url }: Pick<FastifyRequest, 'method' | 'url'>): boolean =>
  (method === 'GET' || method === 'HEAD') && !NOT_THE_APP.test(url)

export async function registerWebApp(app: FastifyInstance, { settings, log }: { settings: Settings; log: Log }): Promise<void> {
  const root = settings.webRoot === '' ? BESIDE_THE_SERVER : resolve(settings.webRoot)
  if (!existsSync(resolve(root, 'index.html'))) {
    log('web_app_missing')
    return
  }
  await app.register(fastifyStatic, {
    root,
    wildcard: false,
    dotfiles: 'ignore',
    cacheControl: false,
    preCompressed: true,
    setHeaders: setCaching,
  })
  app.get('/*', { exposeHeadRoute: true }, (request, reply) => {
    const path = request.url.split('?', 1)[0] ?? ''
    return isScreen(path) ? sendPage(reply) : reply.callNotFound()
  })
}

const isScreen = (path: string): boolean => SCREEN.test(path) && !NOT_SCREENS.test(path)

const sendPage = (reply: FastifyReply): FastifyReply => reply.sendFile('index.html')

function setCaching(reply: { header(name: string, value: string): unknown }, path: string): void {
  const hashed = path.replaceAll('\\', '/').includes(HASHED_FOLDER)
  reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache')
}
