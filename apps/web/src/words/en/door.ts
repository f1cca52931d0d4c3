/** Signing up, signing in, and showing again that it is oneself. */
export const door = {
  door: {
    tagline: 'Said between you. Silent to everybody else.',
    promise: {
      sealed: 'Messages are encrypted on your device. The server cannot read them.',
      anonymous: 'No phone number, no e-mail address. A name is enough.',
      hosted: 'Anyone can host a server like this one. It belongs to whoever runs it.',
    },
    handle: 'Handle',
    password: 'Password',
    showPassword: 'Show password',
    strength: {
      hint: 'At least {{count}} characters. A short sentence is strong and easy to remember.',
      short: 'Too short: at least {{count}} characters.',
      fair: 'Could be stronger. Longer helps most.',
      good: 'A good password.',
      strong: 'A strong password.',
    },
    signUp: {
      title: 'Create your account',
      handleHint: 'How others find you. 3 to 32 letters, digits, dots, dashes or underscores.',
      withPasskey: 'Continue with a passkey',
      passkeyAside: 'A passkey is kept by your device or password manager. You unlock it with your finger, face or PIN.',
      passwordInstead: 'Use a password instead',
      passkeyInstead: 'Use a passkey instead',
      create: 'Create account',
      haveAccount: 'I already have an account',
    },
    signIn: {
      title: 'Sign in',
      withPasskey: 'Sign in with a passkey',
      or: 'or with your password',
      withPassword: 'Sign in',
      withKit: 'Use my recovery kit',
      noWay: 'I have no way to sign in left',
      noAccount: 'Create a new account',
      backToReading: 'Back to my conversations',
    },
    otherWay: 'Another way to sign in',
    kit: {
      title: 'Recovery kit',
      words: 'The twelve words',
      hint: 'In their order, with spaces between. Capital letters do not matter.',
    },
    lost: {
      title: 'No way left?',
      text: 'Whoever runs this server can give you a code, good once and for 24 hours. With it you keep your handle and begin anew.',
      code: 'Code',
      action: 'Go on',
    },
    reset: {
      title: 'Begin anew',
      text: 'The server knows you, but what is encrypted for you cannot be opened. You can begin anew with a fresh key.',
      keeps: 'You keep your handle and come back into your conversations.',
      loses: 'Old messages, names you gave to people, drafts and settings cannot be recovered, by nobody. Other ways to sign in end.',
      seen: 'Everybody who talks to you sees that your key has changed, and may ask whether it is you.',
      action: 'Begin anew with this password',
    },
    entering: {
      title: 'Just a moment',
      keys: 'Making the keys of this device…',
      server: 'Talking to the server…',
      vault: 'Opening your vault…',
      conversations: 'Joining your conversations…',
    },
    notice: {
      signedOut: 'You are signed out. Keys and messages were removed from this browser.',
      sessionEnded: 'Sign in as {{handle}} to send and receive again.',
      storageLost: {
        title: 'This browser lost your messages',
        text: 'Its storage was cleared or is damaged, so the keys of this device are gone. Your account is safe: sign in, and this browser takes its old place among your devices again. Your history comes back with it, if you keep an archive.',
      },
    },
  },

  prove: { passkey: 'Use my passkey', action: 'Continue' },
} as const
