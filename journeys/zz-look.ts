import { chromium } from 'playwright'
import { startServerProcess } from '@tacit/testbed/server-process'
import { Person, Secrets } from './person.ts'
const server = await startServerProcess()
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-background-networking'] })
for (let i = 0; i < 4; i++) {
  const secrets = new Secrets()
  const a = await Person.arrive({ browser, url: server.url, handle: 'Alice' + i, secrets }),
    b = await Person.arrive({ browser, url: server.url, handle: 'Bobby' + i, secrets })
  b.page.on('console', (m) => console.log('B', m.text()))
  b.page.on('worker', (w) => w.on('console', (m) => console.log('BW', m.text())))
  await b.addAuthenticator()
  await Promise.all([a.signUpWithPassword(), b.signUpWithPasskey()])
  await a.startDirect('bobby' + i, 'Bobby' + i)
  await a.write('hello there')
  await b.open('Alice' + i)
  try {
    await b.message('hello there').waitFor({ timeout: 5000 })
    await a.timeline.getByText('Read', { exact: true }).waitFor({ timeout: 5000 })
    console.log(i, 'ok')
  } catch (e) {
    console.log(i, 'FAIL')
    console.log(await a.page.locator('body').innerText(), await b.page.locator('body').innerText())
    await b.page.screenshot({ path: '/tmp/b.png' })
    await new Promise((r) => setTimeout(r, 6000))
    console.log('later', await b.page.locator('body').innerText())
  }
  await a.context.close()
  await b.context.close()
}
console.log((await import('node:fs')).readFileSync(server.logFile, 'utf8').split('\n').slice(-30).join('\n'))
await browser.close()
await server.dispose()
