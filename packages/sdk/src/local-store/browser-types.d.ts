/** Types for the parts of wa-sqlite and of the worker's file system that come without any in the DOM library. */

interface FileSystemSyncAccessHandle {
  read(buffer: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number
  write(buffer: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number
  truncate(size: number): void
  flush(): void
  getSize(): number
  close(): void
}

interface FileSystemFileHandle {
  createSyncAccessHandle(): Promise<FileSystemSyncAccessHandle>
}

declare module '@journeyapps/wa-sqlite/src/FacadeVFS.js' {
  import { Base } from '@journeyapps/wa-sqlite/src/VFS.js'

  /** What SQLite hands over for reading or writing: `subarray()` is a view of its memory as it is now. */
  export interface Memory {
    readonly byteLength: number
    subarray(): Uint8Array<ArrayBuffer>
    fill(value: number, start: number, end: number): void
  }

  export class FacadeVFS extends Base {
    jOpen(name: string | null, file: number, flags: number, outFlags: DataView): number
    jDelete(name: string, syncDirectory: number): number
    jAccess(name: string, flags: number, out: DataView): number
    jClose(file: number): number
    jRead(file: number, data: Memory, offset: number): number
    jWrite(file: number, data: Memory, offset: number): number
    jTruncate(file: number, size: number): number
    jSync(file: number, flags: number): number
    jFileSize(file: number, out: DataView): number
    jSectorSize(file: number): number
    jDeviceCharacteristics(file: number): number
  }
}
