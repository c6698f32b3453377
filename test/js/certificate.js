// Certificate is one that vouches for 127.0.0.1 and for itself, in two files.

import {execFileSync} from "node:child_process"
import {createHash, X509Certificate} from "node:crypto"
import {mkdtempSync, readFileSync, renameSync, rmSync} from "node:fs"
import {tmpdir} from "node:os"
import {join} from "node:path"

export class Certificate {
  // A new one is in a folder of its own, which remove deletes.
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "roost-certificate-"))
    this.certFile = join(this.folder, "cert.pem")
    this.keyFile = join(this.folder, "key.pem")
    execFileSync("openssl", [
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
      "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", this.keyFile, "-out", this.certFile,
    ], {stdio: "ignore"})
  }

  get pem() { return readFileSync(this.certFile, "utf8") }

  get fingerprint() { return new X509Certificate(this.pem).fingerprint256 }

  // spki is what Chromium knows the key by (--ignore-certificate-errors-spki-list).
  get spki() {
    const key = new X509Certificate(this.pem).publicKey.export({type: "spki", format: "der"})
    return createHash("sha256").update(key).digest("base64")
  }

  // becomes moves the files of another one into the place of these.
  becomes(other) {
    renameSync(other.keyFile, this.keyFile)
    renameSync(other.certFile, this.certFile)
  }

  remove() { rmSync(this.folder, {recursive: true, force: true}) }
}
