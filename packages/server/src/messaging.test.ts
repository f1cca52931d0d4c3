import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { member, openTown, secondDevice, type Member, type Town } from './cast.test-support.ts'
import { newAccountId } from './identity.test-support.ts'
import { createConversation, Device, creationBody, groupOf, Talker } from './gateway/device.test-support.ts'

let town: Town
let alice: Member
let bob: Member
let carol: Member

beforeAll(async () => {
  town = await openTown()
  ;[alice, bob, carol] = await Promise.all([member(town, 'alice'), member(town, 'bob'), member(town, 'carol')])
})
afterAll(() => town.close())

const open: Device[] = []
const online = async (who: Member): Promise<Device> => {
  const device = await Device.online(town, who)
  open.push(device)
  return device
}
afterEach(() => Promise.all(open.splice(0).map((device) => device.close())))

async function group(creator: Member, others: readonly Member[]) {
  const made = await groupOf(town, creator, others)
  open.push(...made.talkers.map(({ device }) => device))
  return made
}

describe('a message between people on real sockets', () => {
  test('reaches both, the sender too, at the position that was accepted, and survives a reconnect once', async () => {
    const { conversation, talkers } = await group(alice, [bob])
    const [hers, his] = talkers
    const accepted = await hers.send(conversation, 1)
    for (const { device } of talkers) await device.until(() => device.entries(conversation).at(-1)?.seq === accepted.seq)
    await his?.device.expect('delivery.acknowledge', { cursors: [{ conversation, seq: accepted.seq }] })
    const again = await online(bob)
    expect(again.entries(conversation)).toEqual([])
    const fromTheStart = await Device.online(town, bob, [{ conversation, seq: 0 }])
    expect(fromTheStart.entries(conversation).map(({ seq }) => seq)).toEqual([2])
    open.push(fromTheStart)
  })

  test('waits for who is offline, behind the welcome', async () => {
    const hers = await Talker.online(town, alice)
    open.push(hers.device)
    const conversation = await createConversation(town, alice)
    await hers.commit(conversation, { added: [carol] })
    for (let at = 0; at < 3; at++) await hers.send(conversation, 1)
    const carols = await online(carol)
    const names = carols.events.map(({ name }) => name)
    expect(names.indexOf('conversations.welcome')).toBeLessThan(names.indexOf('delivery.entries'))
    expect(carols.entries(conversation).map(({ seq }) => seq)).toEqual([2, 3, 4])
  })

  test('a welcome comes again until it is acknowledged', async () => {
    const hers = await Talker.online(town, alice)
    open.push(hers.device)
    const conversation = await createConversation(town, alice)
    await hers.commit(conversation, { added: [bob] })
    const ofThis = (device: Device) => device.bodies('conversations.welcome').filter((body) => body.conversation === conversation)
    const first = await online(bob)
    expect(ofThis(first)).toHaveLength(1)
    const second = await online(bob)
    expect(ofThis(second)).toEqual(ofThis(first))
    await second.expect('conversations.acknowledgeWelcomes', { welcomes: ofThis(second).map(({ welcome }) => welcome) })
    expect(ofThis(await online(bob))).toEqual([])
  })

  test('pipelined by a device, messages are accepted in the order in which they were written', async () => {
    const [kim, lee] = await Promise.all([member(town, 'kim'), member(town, 'lee')])
    const { conversation, talkers } = await group(kim, [lee])
    const [hers, his] = talkers
    const answers = await Promise.all(Array.from({ length: 300 }, () => hers.send(conversation, 1)))
    expect(answers.map(({ seq }) => seq)).toEqual(answers.map((_, at) => at + 2))
    await his?.device.until(() => his.device.entries(conversation).length === 256)
    expect(his?.device.entries(conversation).map(({ clientSeq }) => clientSeq)).toEqual(Array.from({ length: 256 }, (_, at) => at + 2))
  })
})

describe('devices of one account', () => {
  test('hear that they may join what another one opened, and can', async () => {
    const dave = await member(town, 'dave')
    const laptop = await secondDevice(town, dave.person)
    const phone = await Talker.online(town, dave)
    const second = await Talker.online(town, laptop)
    open.push(phone.device, second.device)
    const conversation = await createConversation(town, dave)
    await second.device.until(() => second.device.has('conversations.changed'))
    expect(second.device.bodies('conversations.changed')).toEqual([{ conversation, kind: 'group' }])
    expect(phone.device.has('conversations.changed')).toBe(false)
    const info = await town.request<{ epoch: number }>(`/v1/conversations/${conversation}/group-info`, { token: laptop.token })
    expect(info).toMatchObject({ status: 200, body: { epoch: 0, head: 0 } })
    expect(await second.join(conversation)).toMatchObject({ seq: 1, epoch: 1 })
    await phone.send(conversation, 1)
    for (const { device } of [phone, second]) await device.until(() => device.entries(conversation).at(-1)?.seq === 2)
    expect(second.device.entries(conversation).map(({ seq }) => seq)).toEqual([2])
  })

  test('and people who share a conversation hear of a new device list', async () => {
    const erin = await member(town, 'erin')
    const { talkers } = await group(erin, [bob])
    const stranger = await online(carol)
    await secondDevice(town, erin.person)
    const change = { account: erin.person.account, version: 2 }
    for (const { device } of talkers) await device.until(() => device.has('devices.changed'))
    for (const { device } of talkers) expect(device.bodies('devices.changed')).toEqual([change])
    expect(stranger.has('devices.changed')).toBe(false)
    const list = await town.request(`/v1/accounts/${erin.person.account}/device-list`, { token: bob.token })
    const refused = await town.request(`/v1/accounts/${erin.person.account}/device-list`, { token: carol.token })
    expect([list.status, refused.status]).toEqual([200, 404])
  })

  test('a device that is not on its list cannot be added', async () => {
    const hers = await Talker.online(town, alice)
    const gone = await secondDevice(town, carol.person)
    open.push(hers.device)
    const conversation = await createConversation(town, alice)
    const body = await hers.sealCommit(conversation, { added: [gone] })
    carol.person.drop(gone.device)
    const deviceList = await carol.person.nextList()
    expect((await town.request('/v1/device-list', { method: 'PUT', token: carol.token, body: { deviceList } })).status).toBe(200)
    expect(await hers.device.outcome('conversations.commit', body)).toBe('invalid_credential')
  })

  test('one that is low on key packages is told', async () => {
    const frank = await member(town, 'frank')
    const device = await online(frank)
    await town.request('/v1/key-packages', { token: frank.token, body: await frank.person.keyUpload(frank.device, { oneTime: 1 }) })
    await town.request('/v1/key-packages/claim', { token: alice.token, body: { account: frank.person.account, devices: [frank.device] } })
    await device.until(() => device.has('keys.low'))
  })
})

describe('presence', () => {
  test('shows people to each other who have said in a conversation how far they are, once both want it', async () => {
    const [gina, hans] = await Promise.all([member(town, 'gina'), member(town, 'hans')])
    const { talkers, conversation } = await group(gina, [hans])
    const share = (who: Member) => town.request('/v1/me', { method: 'PATCH', token: who.token, body: { sharesPresence: true } })
    const [ginas, hanss] = talkers.map(({ device }) => device)
    await share(gina)
    expect([ginas, hanss].map((device) => device?.has('signals.presence'))).toEqual([false, false])
    await share(hans)
    const receipt = { conversation, epoch: 1, keep: true, bytes: Uint8Array.of(1) }
    await hanss?.expect('signals.send', { ...receipt, keep: false })
    await hanss?.expect('signals.send', receipt)
    await ginas?.until(() => ginas.has('signals.presence'))
    expect(hanss?.has('signals.presence')).toBe(false)
    await ginas?.expect('signals.send', receipt)
    for (const { device } of talkers) await device.until(() => device.has('signals.presence'))
    expect(ginas?.bodies('signals.presence')).toEqual([{ account: hans.person.account, online: true }])
    expect(hanss?.bodies('signals.presence')).toEqual([{ account: gina.person.account, online: true }])
  })
})

describe('a direct conversation', () => {
  test('is one for two people: the second to open it is told which', async () => {
    const [ida, jan] = await Promise.all([member(town, 'ida'), member(town, 'jan')])
    const conversation = await createConversation(town, ida, { kind: 'direct', peer: jan.person.account })
    const body = await creationBody(jan, { kind: 'direct', peer: ida.person.account })
    const second = await town.request('/v1/conversations', { token: jan.token, body })
    expect(second).toMatchObject({ status: 409, body: { name: 'direct_exists', details: { conversation } } })
  })

  test('with nobody known is refused as not found', async () => {
    const body = await creationBody(alice, { kind: 'direct', peer: newAccountId() })
    expect((await town.request('/v1/conversations', { token: alice.token, body })).status).toBe(404)
  })
})
