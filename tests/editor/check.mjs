// Holds every overlay of this repository against `stackc schema` in the real YAML language server.
//
//   npm install --prefix /tmp/yls yaml-language-server
//   NODE_PATH=/tmp/yls/node_modules node tests/editor/check.mjs SCHEMA OVERLAY...
//
// Prints every finding and exits 1 where there is one; then asks for completion in an instance of each stack and exits
// 1 where the inputs are not offered.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import path from 'node:path';

const [schema, ...overlays] = process.argv.slice(2);
const folder = (process.env.NODE_PATH ?? 'node_modules').split(path.delimiter)[0];
const require = createRequire(path.join(path.resolve(folder), 'x.js'));
const manifest = require.resolve('yaml-language-server/package.json');
const server = spawn(process.execPath, [path.join(path.dirname(manifest), 'bin/yaml-language-server'), '--stdio']);

let next = 1;
const waiting = new Map();
const diagnostics = new Map();
let buffer = Buffer.alloc(0);
const settings = { yaml: { schemas: { [pathToFileURL(path.resolve(schema)).href]: ['*.yaml'] }, validate: true, completion: true, hover: true, schemaStore: { enable: false } } };

const send = (message) => {
  const body = JSON.stringify({ jsonrpc: '2.0', ...message });
  server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
};
const request = (method, params) => new Promise((resolve) => {
  waiting.set(next, resolve);
  send({ id: next++, method, params });
});
server.stdout.on('data', (data) => {
  buffer = Buffer.concat([buffer, data]);
  for (;;) {
    const end = buffer.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/Content-Length: (\d+)/i.exec(buffer.subarray(0, end).toString())[1]);
    if (buffer.length < end + 4 + length) return;
    const message = JSON.parse(buffer.subarray(end + 4, end + 4 + length).toString());
    buffer = buffer.subarray(end + 4 + length);
    if (message.method === 'workspace/configuration') {
      send({ id: message.id, result: message.params.items.map((item) => settings[item.section] ?? null) });
    } else if (message.method === 'textDocument/publishDiagnostics') {
      diagnostics.set(message.params.uri, message.params.diagnostics);
    } else if (message.method && message.id !== undefined) {
      send({ id: message.id, result: null });
    } else if (waiting.has(message.id)) {
      waiting.get(message.id)(message.result ?? message.error);
      waiting.delete(message.id);
    }
  }
});

const findings = async (uri, text) => {
  diagnostics.delete(uri);
  send({ method: 'textDocument/didOpen', params: { textDocument: { uri, languageId: 'yaml', version: 1, text } } });
  for (let tries = 0; tries < 600 && !diagnostics.has(uri); tries++) await new Promise((done) => setTimeout(done, 50));
  return diagnostics.get(uri) ?? [{ message: 'the language server did not answer', range: { start: { line: 0, character: 0 } } }];
};

await request('initialize', { processId: process.pid, rootUri: null, capabilities: { workspace: { configuration: true }, textDocument: { completion: { completionItem: { documentationFormat: ['markdown'] } } } } });
send({ method: 'initialized', params: {} });
send({ method: 'workspace/didChangeConfiguration', params: { settings } });

let wrong = 0;
for (const file of overlays) {
  for (const found of await findings(pathToFileURL(path.resolve(file)).href, readFileSync(file, 'utf8'))) {
    wrong++;
    console.log(`${file}:${found.range.start.line + 1}:${found.range.start.character + 1}: ${found.message}`);
  }
}

// What is wrong has to be found, or the silence above means nothing.
const head = 'apiVersion: stackc.dev/v1alpha1\nkind: Overlay\nmetadata: {name: x}\nspec:\n  stacks:\n';
const bad = await findings('file:///bad/overlay.yaml', `${head}    coredns:\n      replicas: many\n      replica: 3\n`);
if (bad.length < 2) { wrong++; console.log(`two faults were put in and ${bad.length} found`); }
const other = await findings('file:///other/overlay.yaml', `${head}    shop:\n      stack: web-app\n      imag: {}\n`);
if (other.length !== 1) { wrong++; console.log(`\`stack\` decides the inputs: one fault was put in and ${other.length} found`); }

for (const [text, wanted] of [
  [`${head}    coredns:\n      re`, ['replicas']],
  [`${head}    shop:\n      stack: web-app\n      im`, ['image']],
  [`${head}    hcloud-ccm:\n      `, ['location', 'routes']],
]) {
  const uri = `file:///completion-${wanted[0]}/overlay.yaml`;
  await findings(uri, text);
  const lines = text.split('\n');
  const result = await request('textDocument/completion', { textDocument: { uri }, position: { line: lines.length - 1, character: lines.at(-1).length } });
  const items = result.items ?? result ?? [];
  const labels = new Map(items.map((item) => [item.label, item]));
  for (const name of wanted) {
    if (!labels.get(name)?.documentation) { wrong++; console.log(`\`${name}\` is not offered with its description; offered: ${[...labels.keys()].join(', ')}`); }
  }
}
console.log(wrong === 0 ? `${overlays.length} overlays: no finding; completion knows the inputs` : `${wrong} wrong`);
server.kill();
process.exit(wrong === 0 ? 0 : 1);
