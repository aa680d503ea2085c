import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { findDebianMirror } from "../../../../scripts/matrix/debian.ts";
import { isNewEnough } from "../../../../scripts/matrix/setup_glibc.ts";

const DEB822 = `Types: deb
# http://snapshot.debian.org/archive/debian/20250520T000000Z
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;

const NODESOURCE = `Types: deb
URIs: https://deb.nodesource.com/node_20.x
Suites: nodistro
Components: main
`;

describe("findDebianMirror()", () => {
  it("reads stanzas, with the keyring, and passes other vendors and security updates by", () => {
    const mirror = {
      uri: "http://mirror.example/debian",
      signedBy: "/usr/share/keyrings/debian-archive-keyring.gpg",
    };
    assert.deepEqual(findDebianMirror([NODESOURCE, DEB822]), mirror);
  });

  it("reads lines, with and without options", () => {
    assert.deepEqual(
      findDebianMirror([
        "# deb http://old.example/debian bookworm main\n" +
        "deb https://packages.example/apt tool main\n" +
        "deb-src http://mirror.example/debian bookworm main\n" +
        "deb http://mirror.example/debian/ bookworm main contrib\n",
      ]),
      { uri: "http://mirror.example/debian/" },
    );
    assert.deepEqual(
      findDebianMirror([
        "deb [arch=amd64 signed-by=/usr/share/keyrings/d.gpg] http://m.example/debian bookworm main",
      ]),
      { uri: "http://m.example/debian", signedBy: "/usr/share/keyrings/d.gpg" },
    );
  });

  it("finds nothing without a mirror", () => {
    assert.equal(findDebianMirror([]), undefined);
    assert.equal(
      findDebianMirror([NODESOURCE, "deb http://m.example/debian bookworm contrib"]),
      undefined,
    );
    assert.equal(
      findDebianMirror(["Types: deb-src\nURIs: http://m/debian\nComponents: main\n"]),
      undefined,
    );
  });
});

describe("isNewEnough()", () => {
  it("wants 2.38 or newer", () => {
    for (const version of ["glibc 2.38", "glibc 2.41\n", "glibc 3.0"]) {
      assert.equal(isNewEnough(version), true, version);
    }
    for (const version of ["glibc 2.36", "glibc 2.4", "glibc 1.99", ""]) {
      assert.equal(isNewEnough(version), false, version);
    }
  });
});
