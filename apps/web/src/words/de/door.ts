/** Signing up, signing in, and showing again that it is oneself. */
import type { door as english } from '../en/door.ts'
import type { Shape } from '../shape.ts'

export const door: Shape<typeof english> = {
  door: {
    tagline: 'Unter euch gesagt. Für alle anderen still.',
    promise: {
      sealed: 'Nachrichten werden auf deinem Gerät verschlüsselt. Der Server kann sie nicht lesen.',
      anonymous: 'Keine Telefonnummer, keine E-Mail-Adresse. Ein Name genügt.',
      hosted: 'So einen Server kann jeder betreiben. Er gehört dem, der ihn betreibt.',
    },
    handle: 'Name',
    password: 'Passwort',
    showPassword: 'Passwort zeigen',
    strength: {
      hint: 'Mindestens {{count}} Zeichen. Ein kurzer Satz ist stark und leicht zu merken.',
      short: 'Zu kurz: mindestens {{count}} Zeichen.',
      fair: 'Könnte stärker sein. Länge hilft am meisten.',
      good: 'Ein gutes Passwort.',
      strong: 'Ein starkes Passwort.',
    },
    signUp: {
      title: 'Konto anlegen',
      handleHint: 'So finden dich andere. 3 bis 32 Buchstaben ohne Umlaute, Ziffern, Punkte oder Striche.',
      withPasskey: 'Weiter mit Passkey',
      passkeyAside: 'Einen Passkey bewahrt dein Gerät oder Passwortmanager auf. Du öffnest ihn mit Finger, Gesicht oder PIN.',
      passwordInstead: 'Lieber ein Passwort',
      passkeyInstead: 'Lieber ein Passkey',
      create: 'Konto anlegen',
      haveAccount: 'Ich habe schon ein Konto',
    },
    signIn: {
      title: 'Anmelden',
      withPasskey: 'Mit Passkey anmelden',
      or: 'oder mit deinem Passwort',
      withPassword: 'Anmelden',
      withKit: 'Mein Notfallblatt benutzen',
      noWay: 'Ich kann mich auf keinem Weg mehr anmelden',
      noAccount: 'Ein neues Konto anlegen',
      backToReading: 'Zurück zu meinen Unterhaltungen',
    },
    otherWay: 'Anders anmelden',
    kit: {
      title: 'Notfallblatt',
      words: 'Die zwölf Wörter',
      hint: 'In ihrer Reihenfolge, mit Leerzeichen dazwischen. Groß oder klein ist gleich.',
    },
    lost: {
      title: 'Kein Weg mehr?',
      text: 'Wer diesen Server betreibt, kann dir einen Code geben. Er gilt einmal und 24 Stunden lang. Damit behältst du deinen Namen und fängst neu an.',
      code: 'Code',
      action: 'Weiter',
    },
    reset: {
      title: 'Neu anfangen',
      text: 'Der Server kennt dich, aber was für dich verschlüsselt ist, lässt sich nicht öffnen. Du kannst mit einem neuen Schlüssel neu anfangen.',
      keeps: 'Du behältst deinen Namen und kommst in deine Unterhaltungen zurück.',
      loses:
        'Alte Nachrichten, Namen, die du Leuten gabst, Entwürfe und Einstellungen kann niemand zurückholen. Andere Wege zur Anmeldung enden.',
      seen: 'Alle, die mit dir sprechen, sehen, dass sich dein Schlüssel geändert hat, und fragen vielleicht, ob du es bist.',
      action: 'Mit diesem Passwort neu anfangen',
    },
    entering: {
      title: 'Einen Moment',
      keys: 'Die Schlüssel dieses Geräts entstehen …',
      server: 'Der Server wird gefragt …',
      vault: 'Dein Tresor wird geöffnet …',
      conversations: 'Deine Unterhaltungen kommen dazu …',
    },
    notice: {
      signedOut: 'Du bist abgemeldet. Schlüssel und Nachrichten sind aus diesem Browser entfernt.',
      sessionEnded: 'Melde dich als {{handle}} an, um wieder zu senden und zu empfangen.',
      storageLost: {
        title: 'Dieser Browser hat deine Nachrichten verloren',
        text: 'Sein Speicher wurde gelöscht oder ist beschädigt, darum sind die Schlüssel dieses Geräts weg. Dein Konto ist sicher: Melde dich an, und dieser Browser nimmt seinen alten Platz unter deinen Geräten wieder ein. Dein Verlauf kommt mit, wenn du ein Archiv führst.',
      },
    },
  },

  prove: { passkey: 'Meinen Passkey benutzen', action: 'Weiter' },
}
