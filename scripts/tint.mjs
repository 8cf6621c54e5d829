// Every shader of a folder, compiled by Tint, the compiler of WGSL in Chrome and in Dawn.
//
//     node scripts/tint.mjs target/peers/tint target/tmp/shaders/wgsl
//
// The first folder has npm's package `webgpu`, which is Dawn, installed in it. The second has shaders, and beside each
// a file of what it needs: `tests/languages` writes both. A shader is compiled on a device that has the features that it
// names and no others, and made a pipeline of with its constants, since part of what WGSL forbids is found then only.
// Everything that Tint says is printed, and anything said against a shader is a failure.

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [packages, folder] = process.argv.slice(2);
const { create } = await import(pathToFileURL(resolve(packages, "node_modules/webgpu/index.js")));

// Tint stands before the drivers: behind it is one here that does nothing and has every feature.
const gpu = create(["backend=null"]);

const devices = new Map();

// The device that has these features, or why there is none.
async function deviceWith(features) {
  const key = features.join(" ");
  if (!devices.has(key)) {
    // An adapter gives one device.
    const adapter = await gpu.requestAdapter();
    const missing = features.filter((feature) => !adapter.features.has(feature));
    const device = missing.length ? null : await adapter.requestDevice({ requiredFeatures: features });
    devices.set(key, { device, missing });
  }
  return devices.get(key);
}

function shaders() {
  const names = readdirSync(folder).filter((name) => name.endsWith(".wgsl"));
  return names.sort().map((name) => {
    const path = join(folder, name);
    return { path, code: readFileSync(path, "utf8"), ...JSON.parse(readFileSync(path.replace(/wgsl$/, "json"), "utf8")) };
  });
}

// What Tint says of the source, and the module.
async function compiled(device, { path, code, features }) {
  // naga 30 takes subgroups without this line, and refuses the line.
  const before = features.includes("subgroups") ? "enable subgroups;" : "";
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code: before + code });
  const { messages } = await module.getCompilationInfo();
  await device.popErrorScope();
  return { module, said: messages.map(({ type, lineNum, message }) => `${path}:${lineNum}: ${type}: ${message}`) };
}

// What is said of the shader with its constants in it.
async function saidOfPipeline(device, module, { path, constants }) {
  try {
    await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main", constants } });
    return [];
  } catch (error) {
    return [`${path}: ${error.message}`];
  }
}

// Whether a device of this kind could bind all that the shader reads and writes.
function fits(device, { code }) {
  return code.match(/var<storage/g).length <= device.limits.maxStorageBuffersPerShaderStage;
}

const counts = { shaders: 0, without: 0 };
const said = [];
for (const shader of shaders()) {
  counts.shaders++;
  const { device, missing } = await deviceWith(shader.features);
  if (device === null) {
    said.push(`${shader.path}: NOT COMPILED: there is no ${missing.join(" and no ")}`);
    continue;
  }
  const { module, said: ofSource } = await compiled(device, shader);
  said.push(...ofSource);
  if (!fits(device, shader)) {
    counts.without++;
  } else if (ofSource.length === 0) {
    said.push(...(await saidOfPipeline(device, module, shader)));
  }
}
for (const line of said) {
  console.log(line);
}
console.log(`${counts.shaders} shaders, of which ${counts.without} bind too much for a pipeline here`);
// Otherwise the process waits for devices.
process.exit(said.length > 0 || counts.shaders === 0 ? 1 : 0);
