/** What frames the pages: opening, connection, list, finding one's way. */
export const page = {
  splash: { opening: 'Opening your conversations…' },

  page: { back: 'Back to conversations' },

  confirm: { cancel: 'Cancel', close: 'Close' },

  update: { ready: 'A new version of Tacit is ready.', reload: 'Reload', later: 'Later' },

  trouble: {
    outdated: { title: 'A newer version is open in another tab', text: 'Load this one again to go on here.' },
    trouble: { title: 'Your conversations cannot be opened', text: 'They are still in this browser. Loading the page again often helps.' },
    broken: { title: 'This page did not come up whole', text: 'Nothing is lost. Loading it again usually helps.' },
    reload: 'Load again',
  },

  home: {
    title: 'Choose a conversation',
    text: 'Or begin a new one. Ctrl+K finds any of them.',
    first: { title: 'It is quiet here', text: 'Tell people your handle, or find them by theirs.' },
    missing: {
      title: 'This conversation is not on this device',
      text: 'It may belong to another account, or you are no longer part of it.',
      back: 'Back to conversations',
    },
  },

  shell: {
    skip: 'Skip to the conversation',
    newDevices_one: 'A new device has joined your account.',
    newDevices_other: '{{count}} new devices have joined your account.',
    seeDevices: 'See my devices',
    knowDevices: 'I know about it',
  },

  connection: {
    offline: 'You are offline. You can read and write; messages wait here.',
    waiting: 'The server cannot be reached. Trying again soon.',
    unsent: {
      offline_one: 'You are offline. {{count}} message waits to be sent.',
      offline_other: 'You are offline. {{count}} messages wait to be sent.',
      waiting_one: 'The server cannot be reached. {{count}} message waits to be sent.',
      waiting_other: 'The server cannot be reached. {{count}} messages wait to be sent.',
    },
    connecting: 'Connecting…',
    catching_up: 'Fetching what you missed…',
    sessionEnded: 'Your session has ended. You can read; what you write waits here.',
    signInAgain: 'Sign in again',
  },

  announce: {
    one: '{{title}}: {{text}}',
    many_one: '{{count}} new message',
    many_other: 'New messages in {{count}} conversations',
  },

  list: {
    label: 'Conversations',
    search: 'Find a conversation (Ctrl+K)',
    newDirect: 'New chat',
    newGroup: 'New group',
    online: 'online',
    unread_one: '{{count}} unread message',
    unread_other: '{{count}} unread messages',
    draft: 'Draft:',
    you: 'You:',
    nothingYet: 'No messages yet',
    empty: { title: 'No conversations yet', text: 'Find somebody by their handle and say hello.' },
  },

  switcher: { title: 'Find a conversation', label: 'Find a conversation', empty: 'No conversation is called that.' },
} as const
