/** What went wrong, and what to do. */
import type { failure as english } from '../en/failure.ts'
import type { Shape } from '../shape.ts'

export const failure: Shape<typeof english> = {
  failure: {
    clientTooOld: 'Diese Version der App ist zu alt für den Server. Lade die Seite neu.',
    expired: 'Das hat zu lange gedauert. Bitte beginne noch einmal.',
    handleNotAllowed: 'Dieser Name geht nicht. Nimm 3 bis 32 Buchstaben, Ziffern, Punkte oder Striche, mit einem Buchstaben am Anfang.',
    handleTaken: 'Dieser Name ist vergeben oder einem anderen zu ähnlich. Wähle einen anderen.',
    identityMismatch:
      'Was der Server schickte, ist nicht mit dem bekannten Schlüssel unterschrieben. Es ist nichts geschehen. Bitte sag es dem Betreiber.',
    internal: 'Etwas ging schief. Bitte versuch es noch einmal.',
    locked: 'Die App-Sperre ist zu.',
    notAllowed: 'Das darfst du hier nicht.',
    notFound: 'Das gibt es hier nicht.',
    offline: 'Der Server ist nicht erreichbar. Prüf deine Verbindung und versuch es noch einmal.',
    passkeyCancelled: 'Es wurde kein Passkey benutzt. Versuch es noch einmal, oder nimm ein Passwort.',
    passkeyWithoutPrf:
      'Dieser Passkey kann deine Schlüssel nicht schützen. Nimm einen anderen (Telefon oder Passwortmanager), oder ein Passwort.',
    proofNeeded: 'Bitte zeig erst, dass du es bist.',
    rateLimited: 'Zu viele Versuche. Warte {{seconds}} Sekunden und versuch es dann noch einmal.',
    sessionEnded: 'Deine Sitzung ist beendet. Melde dich wieder an.',
    storage: 'Der Speicher dieses Browsers ist voll, gesperrt oder beschädigt.',
    tooLarge: 'Das ist zu lang. Schick es in Teilen.',
    tooMany: 'Eine Grenze ist erreicht. Entferne zuerst etwas.',
    unavailable: 'Der Server kann gerade nicht antworten. Versuch es gleich noch einmal.',
    kitUnknown: 'Dieser Server kennt kein solches Notfallblatt. Prüfe, ob es für diesen Server ist.',
    kitReplaced: 'Dieses Notfallblatt wurde durch ein neueres ersetzt und öffnet nichts mehr. Nimm das neuere oder einen anderen Weg.',
    kitWord: 'Eines der Wörter gehört zu keinem Notfallblatt. Vergleiche jedes mit dem Blatt.',
    kitIncomplete: 'Ein Notfallblatt hat zwölf Wörter. Gib alle ein, in ihrer Reihenfolge.',
    kitMistyped: 'Eines der Wörter ist nicht das richtige, oder zwei sind vertauscht. Vergleiche jedes mit dem Blatt.',
    vaultLocked: 'Du wurdest erkannt, aber dein Tresor öffnet sich damit nicht. Nimm den Weg, mit dem du das Konto angelegt hast.',
    vaultRolledBack:
      'Der Server zeigt einen älteren Stand deines Kontos als zuvor. Melde dich neu an und frage, wer den Server betreibt, ob er zurückgesetzt wurde.',
    weakPassword: 'Dieses Passwort ist zu schwach. Wähle ein längeres.',
    wrongCredentials: 'Name und Passwort passen nicht zusammen.',
    wrongLockSecret: 'Das öffnet die Sperre nicht.',
  },
}
