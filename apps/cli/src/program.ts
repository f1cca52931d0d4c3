/** Every command of `tacit`, tied to what does it, and how a run ends. */
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { enter, sessions, signOut, whoami } from './account/account.ts'
import { devices } from './account/devices.ts'
import { bringCode, showCode } from './account/link.ts'
import { beginAnew, changePassword, makeKit, signInWithKit, ways } from './account/ways.ts'
import { explainStop, finish, sayIfDevicesAreNew, signedIn, withDevice } from './context.ts'
import type { Context, GlobalOptions, SignedInContext } from './context.ts'
import { add, create, direct, find, leave, list, remove, rename, rotate } from './conversations/conversations.ts'
import { members, startAnew } from './conversations/members.ts'
import { nameSomebody, people, setBlocked } from './conversations/people.ts'
import { accept, decline, requests } from './conversations/requests.ts'
import { archive, archiveWishes, forget, type ArchiveWish } from './history/archive.ts'
import { exportHistory, importHistory } from './history/copy.ts'
import { exitCodesHelp, exits } from './exits.ts'
import type { Exit } from './exits.ts'
import { explain } from './failures.ts'
import { listen } from './messages/listen.ts'
import { history, send } from './messages/messages.ts'
import { audit } from './trust/audit.ts'
import { events } from './trust/events.ts'
import { evidence } from './trust/evidence.ts'
import { known } from './trust/known.ts'
import { safety } from './trust/safety.ts'
import { voice } from './terminal/voice.ts'
import type { World } from './world.ts'

const examples = `
Examples:
  $ tacit sign-up alice
  $ tacit direct bob && tacit send @bob "See you at noon"
  $ uptime | tacit send "Server room" -
  $ tacit listen --profile bot | jq -r 'select(.mine | not) | .text'
  $ tacit chat "Server room"

The password is asked for; scripts give it with --password-stdin or in the file that TACIT_PASSWORD_FILE names.
An id or a text that begins with a dash needs -- before it.`

interface Doors {
  /** Runs a command on the profile's device, signed in or not. */
  readonly open: (command: (context: Context) => Promise<void>) => Promise<void>
  /** Runs a command that needs to be signed in. */
  readonly signed: (command: (context: SignedInContext) => Promise<void>) => Promise<void>
  /** Runs a command that needs to be signed in and changes what others see. */
  readonly changing: (command: (context: SignedInContext) => Promise<void>) => Promise<void>
  /** Runs a command that goes on until it is stopped: being stopped is its good end. */
  readonly endless: (command: (context: Context) => Promise<void>) => Promise<void>
}

/** Runs one command line (without node and script) to its end. Never throws; what went wrong is said on stderr. */
export async function run(argv: readonly string[], world: World): Promise<Exit> {
  const program = new Command('tacit')
  const speak = () => voice({ json: program.opts<GlobalOptions>().json, stdout: world.stdout, stderr: world.stderr })
  const open: Doors['open'] = (command) => withDevice({ options: program.opts<GlobalOptions>(), voice: speak(), world }, command)
  const brief = (command: (context: SignedInContext) => Promise<void>, { changed }: { changed: boolean }) =>
    open(async (context) => {
      await command(await signedIn(context))
      await finish(context, { changed })
      await sayIfDevicesAreNew(context)
    })
  const signed: Doors['signed'] = (command) => brief(command, { changed: false })
  const changing: Doors['changing'] = (command) => brief(command, { changed: true })
  const endless: Doors['endless'] = (command) =>
    open(command).catch((error: unknown) => {
      if (!world.stop.aborted) throw error
    })
  describeProgram(program, world)
  const doors = { open, signed, changing, endless }
  accountCommands(program, doors)
  deviceCommands(program, doors)
  trustCommands(program, { doors, audit: (server) => audit({ voice: speak() }, { server }) })
  conversationCommands(program, doors)
  messageCommands(program, doors)
  historyCommands(program, doors)
  try {
    await program.parseAsync(argv, { from: 'user' })
    return exits.done
  } catch (error) {
    if (error instanceof CommanderError && isHelp(error)) return error.exitCode === 0 ? exits.done : exits.usage
    if (world.stop.reason === 'closed_output') return exits.done
    const explanation = explain(error === world.stop.reason ? explainStop(world.stop.reason) : error)
    speak().complain(explanation)
    return explanation.exit
  }
}

function describeProgram(program: Command, { stdout, stderr }: World): void {
  program
    .description('Tacit in the terminal: a secure messenger.')
    .option('--server <url>', 'address of the server; remembered by the profile (default: http://localhost:8420)')
    .option('--profile <name>', 'which device of this computer to use; one process at a time', 'default')
    .option('--home <folder>', 'where profiles are kept (default: $XDG_DATA_HOME/tacit, or ~/.local/share/tacit)')
    .option('--json', 'answers as JSON on stdout, failures as JSON on stderr', false)
    .addHelpText('after', examples + exitCodesHelp)
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text), outputError: () => {} })
    .exitOverride()
}

function accountCommands(program: Command, { open, signed }: Doors): void {
  program.commandsGroup('Account:')
  for (const [name, how, description] of [
    ['sign-up', 'signUp', 'make an account; this profile becomes its first device'],
    ['sign-in', 'signIn', 'make this profile a device of an existing account'],
  ] as const) {
    program
      .command(`${name} <handle>`)
      .description(description)
      .option('--password-stdin', 'read the password from the first line of standard input', false)
      .option('--device-name <name>', 'what this device is called in the list of your devices')
      .action((handle: string, { passwordStdin: passwordFromStdin, deviceName }: { passwordStdin: boolean; deviceName?: string }) =>
        open((context) => enter(context, { how, handle, passwordFromStdin, deviceName })),
      )
  }
  const fromStdin = ['--password-stdin', 'read the secrets from the lines of standard input', false] as const
  const deviceName = ['--device-name <name>', 'what this device is called in the list of your devices'] as const
  program
    .command('restore')
    .description('make this profile a device of your account with the twelve words of your recovery kit')
    .option(...fromStdin)
    .option(...deviceName)
    .action((how: { passwordStdin: boolean; deviceName?: string }) =>
      open((context) => signInWithKit(context, { fromStdin: how.passwordStdin, deviceName: how.deviceName })),
    )
  program
    .command('begin-anew <handle>')
    .description(
      'with a code from the operator and a new password: another account key, which everybody sees; nothing of before comes back',
    )
    .option(...fromStdin)
    .option(...deviceName)
    .action((handle: string, how: { passwordStdin: boolean; deviceName?: string }) =>
      open((context) => beginAnew(context, { handle, fromStdin: how.passwordStdin, deviceName: how.deviceName })),
    )
  program
    .command('ways')
    .description('the ways to sign in to your account')
    .option('--remove <way>', 'remove the one with this id, or this beginning of an id')
    .action(({ remove: gone }: { remove?: string }) => signed((context) => ways(context, { remove: gone })))
  program
    .command('password')
    .description('a new password in the place of the one before')
    .option('--password-stdin', 'read the new one from the first line of standard input', false)
    .action(({ passwordStdin }: { passwordStdin: boolean }) => signed((context) => changePassword(context, { fromStdin: passwordStdin })))
  program
    .command('kit')
    .description('make a recovery kit: twelve words and a code to print, shown once')
    .action(() => signed(makeKit))
  program
    .command('sign-out')
    .description('end the session and wipe this profile')
    .action(() => open(signOut))
  program
    .command('whoami')
    .description('who is signed in')
    .action(() => signed(whoami))
}

/** Where the account is, and who else may come in. */
function deviceCommands(program: Command, { open, signed, changing }: Doors): void {
  program
    .command('devices')
    .description('the devices of your account')
    .option('--rename <device>', 'give the device with this id, or this beginning of an id, another name')
    .option('--name <name>', 'the name for --rename')
    .option('--remove <device>', 'take a device out of your account and of all conversations; asks for the password')
    .option('--seen', 'you know about the new ones', false)
    .option('--idle-days <number>', 'take devices off that were not used for so many days, 14 to 90', wholeNumber)
    .action((how: { rename?: string; name?: string; remove?: string; seen: boolean; idleDays?: number }) => {
      const { rename, name, remove, seen, idleDays } = how
      return (idleDays === undefined ? signed : changing)((context) => devices(context, { rename, name, remove, seen, idleDays }))
    })
  program
    .command('link [code]')
    .description('be let in by another device of yours, which takes the code shown here; or, with the code of a new device, let it in')
    .option('--device-name <name>', 'what this device is called in the list of your devices')
    .action((code: string | undefined, { deviceName }: { deviceName?: string }) =>
      code === undefined ? open((context) => showCode(context, { deviceName })) : signed((context) => bringCode(context, { code })),
    )
  program
    .command('sessions')
    .description('where your account is signed in')
    .option('--end <session>', 'end the session with this id, or this beginning of an id')
    .action(({ end }: { end?: string }) => signed((context) => sessions(context, { end })))
}

function trustCommands(
  program: Command,
  { doors: { signed }, audit: run }: { readonly doors: Doors; readonly audit: (server: string | undefined) => Promise<void> },
): void {
  program.commandsGroup('Trust:')
  program
    .command('events')
    .description('what happened to your account: sign-ins, sessions, devices')
    .action(() => signed(events))
  program
    .command('safety <handle>')
    .description('the number and code to compare keys with somebody, by another way than this server')
    .option('--code <code>', 'compare the code that their device shows')
    .option('--same', 'you have compared the number yourself', false)
    .option('--forget', 'take the mark away', false)
    .action((handle: string, how: { code?: string; same: boolean; forget: boolean }) =>
      signed((context) => safety(context, { handle, ...how })),
    )
  program
    .command('audit [server]')
    .description("verify a server's whole log of device lists; needs no account")
    .action((server: string | undefined) => run(server ?? program.opts<GlobalOptions>().server))
  program
    .command('known [table]')
    .description('what the server holds on you: its tables, or every row of one')
    .action((table: string | undefined) => signed((context) => known(context, { table })))
  program
    .command('evidence')
    .description('what convicts the server of showing different keys to different people')
    .action(() => signed(evidence))
}

function conversationCommands(program: Command, { signed, changing }: Doors): void {
  program.commandsGroup('Conversations (named by title, @handle, id or the beginning of an id):')
  program
    .command('list')
    .description('your conversations, most recent first')
    .action(() => signed(list))
  program
    .command('requests')
    .description('who wants to write to you, or invites you to a group; they learn nothing of you until you accept')
    .action(() => signed(requests))
  program
    .command('accept <conversation>')
    .description('take a request up; writing to it does so, too')
    .action((reference: string) => changing((context) => accept(context, { reference })))
  program
    .command('decline <conversation>')
    .description('delete a request for good, and leave the group')
    .option('--block', 'block who asked, too', false)
    .action((reference: string, { block }: { block: boolean }) => changing((context) => decline(context, { reference, block })))
  program
    .command('find <handle>')
    .description('look a person up')
    .action((handle: string) => signed((context) => find(context, { handle })))
  program
    .command('people')
    .description('people to whom you gave a name, or whom you blocked')
    .action(() => signed(people))
  program
    .command('name <handle> [name]')
    .description('call somebody by a name of your own, on all your devices; without one: by their handle again')
    .action((handle: string, name: string | undefined) => changing((context) => nameSomebody(context, { handle, ...(name && { name }) })))
  for (const [verb, blocked, description] of [
    ['block', true, 'show nothing that a person writes from now on; they are not told'],
    ['unblock', false, 'show what a person writes again'],
  ] as const) {
    program
      .command(`${verb} <handle>`)
      .description(description)
      .action((handle: string) => changing((context) => setBlocked(context, { handle, blocked })))
  }
  program
    .command('direct <handle>')
    .description('start a conversation with one person, or find the one there is')
    .action((handle: string) => changing((context) => direct(context, { handle })))
  program
    .command('create <title> <handles...>')
    .description('start a group')
    .action((title: string, handles: string[]) => changing((context) => create(context, { title, handles })))
  program
    .command('add <conversation> <handles...>')
    .description('add people to a group')
    .action((reference: string, handles: string[]) => changing((context) => add(context, { reference, handles })))
  program
    .command('remove <conversation> <handle>')
    .description('remove a person from a group')
    .action((reference: string, handle: string) => changing((context) => remove(context, { reference, handle })))
  program
    .command('members <conversation>')
    .description('who is in a conversation, and who is to go and is not gone')
    .action((reference: string) => signed((context) => members(context, { reference })))
  program
    .command('anew <conversation>')
    .description('a new group in the place of one that is stopped because its rules were broken')
    .option('--without <handles...>', 'whom you do not take along')
    .action((reference: string, { without = [] }: { without?: string[] }) =>
      changing((context) => startAnew(context, { reference, without })),
    )
  program
    .command('rotate <conversation>')
    .description('bring fresh keys of this device into a conversation now')
    .action((reference: string) => signed((context) => rotate(context, { reference })))
  program
    .command('leave <conversation>')
    .description('leave a group')
    .action((reference: string) => changing((context) => leave(context, { reference })))
  program
    .command('rename <conversation> <title>')
    .description('give a group another title')
    .action((reference: string, title: string) => changing((context) => rename(context, { reference, title })))
}

function messageCommands(program: Command, { signed, changing, endless }: Doors): void {
  program.commandsGroup('Messages:')
  program
    .command('send <conversation> <text...>')
    .description('send a message and wait until the server has it; the text - stands for standard input')
    .action((reference: string, words: string[]) => signed((context) => send(context, { reference, words })))
  program
    .command('history <conversation>')
    .description('the last messages')
    .option('--count <number>', 'how many', wholeNumber, 20)
    .option('--mark-read', 'tell the others that you have read them', false)
    .action((reference: string, { count, markRead }: { count: number; markRead: boolean }) =>
      (markRead ? changing : signed)((context) => history(context, { reference, count, markRead })),
    )
  program
    .command('listen')
    .description('print each message as it arrives, one line of JSON each, until stopped')
    .option('--conversation <conversation>', 'only this one')
    .action(({ conversation: reference }: { conversation?: string }) => endless((context) => listen(context, { reference })))
  program
    .command('chat [conversation]')
    .description('talk, in full screen')
    .action((reference: string | undefined) =>
      endless(async (context) => {
        const { chat } = await import('./chat/chat.ts')
        await chat(await signedIn(context), { reference })
        await finish(context, { changed: false })
      }),
    )
}

function historyCommands(program: Command, { signed, changing }: Doors): void {
  program.commandsGroup('Your history:')
  program
    .command('archive [wish]')
    .description('how your archive stands; or on, off, erase (from the server), seen (ends a warning)')
    .action((wish: string | undefined) => changing((context) => archive(context, { wish: archiveWish(wish) })))
  program
    .command('forget <conversation> <message>')
    .description('delete a message, by its id, from your devices and your archive; the others keep theirs')
    .action((reference: string, message: string) => changing((context) => forget(context, { reference, message })))
  program
    .command('export <folder>')
    .description('write what is on this device as history.html and history.json; overwrites nothing')
    .action((folder: string) => signed((context) => exportHistory(context, { folder })))
  program
    .command('import <file>')
    .description('read such a file; adds what is missing and changes nothing that is here')
    .action((path: string) => changing((context) => importHistory(context, { path })))
}

function archiveWish(text: string | undefined): ArchiveWish | undefined {
  if (text === undefined) return undefined
  const wish = archiveWishes.find((one) => one === text)
  if (!wish) throw new InvalidArgumentError('It must be on, off, erase or seen.')
  return wish
}

function wholeNumber(text: string): number {
  if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 1 on.')
}

const isHelp = ({ code }: CommanderError): boolean => code === 'commander.helpDisplayed' || code === 'commander.help'
