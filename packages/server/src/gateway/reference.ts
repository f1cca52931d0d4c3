/**
 * The API's description at /openapi.json and a page to read it at /docs/api. The viewer comes from our own origin. Both are
 * made when somebody asks for the first time: the viewer is 4 MB of script, and most servers are never asked.
 */
import { openApiDocument } from '@tacit/contract'
import { fastify, type FastifyInstance } from 'fastify'
import { referencePolicy } from './security-headers.ts'

const PAGE = '/docs/api'
const SCRIPT = '/docs/api/viewer.js'

/** Settings of the viewer that keep it from asking anybody else for anything. */
const configuration = {
  url: '/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  agent: { disabled: true },
  mcp: { disabled: true },
  showDeveloperTools: 'never' as const,
}

export function registerReference(app: FastifyInstance): void {
  const page = referencePage()
  let description: string | undefined
  let viewer: Promise<string> | undefined
  app.get('/openapi.json', (_request, reply) => {
    description ??= JSON.stringify(openApiDocument())
    return reply.type('application/json; charset=utf-8').send(description)
  })
  app.get(PAGE, (_request, reply) => reply.header('content-security-policy', referencePolicy).type('text/html; charset=utf-8').send(page))
  app.get(SCRIPT, async (_request, reply) => {
    viewer ??= loadViewer()
    return reply
      .header('cache-control', 'no-cache')
      .type('text/javascript; charset=utf-8')
      .send(await viewer)
  })
}

const referencePage = (): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Tacit API</title><link rel="icon" href="data:,"></head>
<body>
<script id="api-reference" type="application/json" data-configuration="${JSON.stringify(configuration).replaceAll('"', '&quot;')}"></script>
<script src="${SCRIPT}"></script>
</body>
</html>
`

/** The package offers its script only as a Fastify plugin, so it is asked through an instance that never listens. */
async function loadViewer(): Promise<string> {
  const { default: plugin } = await import('@scalar/fastify-api-reference')
  const holder = fastify({ logger: false })
  await holder.register(plugin, { routePrefix: PAGE, configuration })
  const { payload } = await holder.inject({ url: `${PAGE}/js/scalar.js` })
  await holder.close()
  return payload
}
