/** Own devices that joined the account since somebody at this one last looked: shown until they say that they know. */
import { decodeCbor, DeviceId, encodeCbor, readDeviceList, type AccountId } from '@tacit/contract'
import { blob } from '../local-store/columns.ts'
import type { Reader, Writer } from '../local-store/driver.ts'
import { findPin } from './people.store.ts'

/** Those on the newest list that nobody here has said to know. */
export async function newDevices(reader: Reader, me: { readonly account: AccountId; readonly device: DeviceId }): Promise<DeviceId[]> {
  const seen = await seenDevices(reader)
  if (!seen) return []
  return (await listed(reader, me.account)).filter((device) => device !== me.device && !seen.has(device))
}

/** The person knows all that are listed now. */
export async function markDevicesSeen(writer: Writer, account: AccountId): Promise<void> {
  await writer.run("insert into setting (name, value) values ('seen_devices', ?) on conflict (name) do update set value = excluded.value", [
    encodeCbor(await listed(writer, account)),
  ])
}

/** Begins with what is listed now, on a device that has not looked before. */
export async function beginSeeing(writer: Writer, account: AccountId): Promise<void> {
  if (!(await seenDevices(writer))) await markDevicesSeen(writer, account)
}

async function listed(reader: Reader, account: AccountId): Promise<DeviceId[]> {
  const pin = await findPin(reader, account)
  const list = pin && (await readDeviceList(pin.list))
  return (list?.devices ?? []).map(({ device }) => device)
}

async function seenDevices(reader: Reader): Promise<ReadonlySet<DeviceId> | undefined> {
  const row = await reader.get("select value from setting where name = 'seen_devices'")
  const value = row && decodeCbor(blob(row, 'value'))
  return Array.isArray(value) ? new Set(value.flatMap((one) => DeviceId.safeParse(one).data ?? [])) : undefined
}
