import assert from "node:assert/strict";
import { it } from "node:test";
import { parseJunit } from "../../../../scripts/support/junit.ts";

it("parseJunit() reads titles, outcomes and groups", () => {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="6" failures="1" errors="0" time="0.7">
    <testsuite name="./a_test.ts" tests="3">
        <testcase name="group" classname="./a_test.ts" time="0.013" line="2" col="1">
            <failure message="1 test step failed">1 test step failed.</failure>
        </testcase>
        <testcase name="a &lt;b&gt; &amp; &quot;c&quot; &apos;d&apos; &amp;lt;" time="0.002"/>
        <testcase name="left out" line="6" col="6">
            <skipped/>
        </testcase>
    </testsuite>
    <testsuite name="ext:deno_node/testing.ts" tests="3">
        <testcase name="group &gt; inner" time="0.001">
        </testcase>
        <testcase name="group &gt; deeper &gt; innermost" time="0.001">
            <failure message="&lt;skipped/&gt;">Error: &lt;/testcase&gt;</failure>
        </testcase>
        <testcase name="group &gt; deeper" time="0.001">
            <failure message="1 test step failed">1 test step failed.</failure>
        </testcase>
    </testsuite>
</testsuites>`;
  assert.deepEqual(parseJunit(xml), [
    { titles: [`a <b> & "c" 'd' &lt;`], outcome: "passed" },
    { titles: ["left out"], outcome: "skipped" },
    { titles: ["group", "inner"], outcome: "passed" },
    { titles: ["group", "deeper", "innermost"], outcome: "failed" },
  ]);
});

it("parseJunit() finds nothing in nothing", () => {
  assert.deepEqual(parseJunit(""), []);
});
