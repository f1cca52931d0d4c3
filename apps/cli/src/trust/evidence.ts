/** Prints what this device keeps against the server: signed heads that anybody can verify. */
import type { KeyLogEvidence } from '@tacit/sdk'
import type { SignedInContext } from '../context.ts'
import { dateAndTime } from '../terminal/when.ts'

export async function evidence({ device, voice }: SignedInContext): Promise<void> {
  const all = await device.keyLogEvidence()
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
  voice.answer({
    json: all.map((one) => ({ ...one, ours: hex(one.ours), theirs: hex(one.theirs), time: new Date(one.time).toISOString() })),
    lines:
      all.length === 0
        ? ['nothing: the server has shown one log of device lists to everybody this device heard of']
        : all.flatMap((one) => [
            `${dateAndTime(one.time)}  ${meaning[one.kind]}`,
            `  verified here: ${hex(one.ours)}`,
            `  against it:    ${hex(one.theirs)}`,
          ]),
  })
}

const meaning: Record<KeyLogEvidence['kind'], string> = {
  rewritten: 'the server rewrote its log of device lists',
  split: 'somebody else was shown another log of device lists',
  went_back: 'the server has an earlier log of device lists again, as after the restoring of a backup',
  not_logged: 'the server presented a device list that is not in its log',
}
