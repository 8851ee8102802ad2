// A host in a process of its own, for tests: takes what to do as JSON, prints how it ended.

import process from 'node:process';
import { instantiate } from './component.mjs';
import { open } from './host.mjs';

const { endpoint, login, folder, wants } = JSON.parse(process.argv[2]);
const host = open({ component: await instantiate(), folder, login: () => login });
const report = await host.hydrate(endpoint, wants);
console.log(JSON.stringify(report.outcomes.map(({ ended }) => ended.val?.code ?? ended.tag)));
