/** How the process can end; documented in `tacit --help` and stable for scripts. */
export const exits = {
  done: 0,
  unexpected: 1,
  usage: 2,
  notSignedIn: 3,
  notFound: 4,
  refused: 5,
  unreachable: 6,
  profile: 7,
  trust: 8,
  interrupted: 130,
  terminated: 143,
} as const

export type Exit = (typeof exits)[keyof typeof exits]

export const exitCodesHelp = `
Exit codes:
  0  done
  1  unexpected error
  2  the command was not understood
  3  not signed in, or the session has ended
  4  no such person, conversation or session, or the name fits several
  5  refused by the server or by the rules of the conversation
  6  the server is not reachable or busy; nothing was lost
  7  the profile is in use, not private, or damaged
  8  what the server presented cannot be trusted
  130, 143  interrupted by SIGINT, SIGTERM or SIGHUP (listen and chat end with 0)`
