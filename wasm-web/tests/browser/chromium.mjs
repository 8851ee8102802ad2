// Chromium with pages that are watched: whatever goes wrong in one, and nobody caught, fails the test.
//
// CHROMIUM_BIN names the browser; without it, it is the chromium-headless-shell on the PATH.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { chromium } from 'playwright-core';
import { Peer } from '../peer.mjs';
import { serve } from './server.mjs';

const SHELL = 'chromium-headless-shell';
export const BROWSER = process.env.CHROMIUM_BIN
  ?? process.env.PATH.split(delimiter).map((folder) => join(folder, SHELL)).find(existsSync) ?? SHELL;
/** Milliseconds that the browser may take to start, and a page for one step. */
const PATIENCE_MS = 60_000;
const CRASH = 'the page crashed';

/** A browser and a server, until the end. */
export class Scene {
  #browser;
  /** What went wrong in pages. */
  faults = [];

  static async open() {
    const scene = new Scene();
    scene.server = await serve();
    const args = ['--no-sandbox', '--disable-dev-shm-usage'];
    scene.#browser = await chromium.launch({ executablePath: BROWSER, args, timeout: PATIENCE_MS });
    return scene;
  }

  /** The version of the browser. */
  get version() {
    return this.#browser.version();
  }

  async close() {
    await this.#browser?.close();
    await this.server?.close();
  }

  /** Runs a test with a context of its own. Nothing may go wrong in its pages but what it takes from `faults`. */
  async within(test) {
    const context = await this.#browser.newContext();
    context.setDefaultTimeout(PATIENCE_MS);
    const own = new Own(context, this.server);
    try {
      await test(own);
    } finally {
      await context.close();
      await own.end();
    }
    assert.deepEqual(own.faults, []);
  }
}

/** What one test has. */
class Own {
  #context;
  #peers = [];
  #allowed = [];
  faults = [];

  constructor(context, server) {
    this.#context = context;
    this.server = server;
  }

  /** A page with the stores; all pages of a test share what they store. */
  async page() {
    const page = await this.#watched();
    await this.load(page);
    return page;
  }

  /** A page of any server. */
  async visit(url) {
    const page = await this.#watched();
    await page.goto(url);
    return page;
  }

  async #watched() {
    const page = await this.#context.newPage();
    page.on('console', (message) => {
      const isAllowed = this.#allowed.some((said) => said.test(message.text()));
      if (message.type() === 'error' && !isAllowed) this.faults.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.faults.push(`page: ${error}`));
    page.on('crash', () => this.faults.push(CRASH));
    return page;
  }

  /** A server of another origin than the pages. */
  async peer() {
    const peer = await Peer.open();
    this.#peers.push(peer);
    return peer;
  }

  async end() {
    for (const peer of this.#peers) await peer.close();
  }

  /** Chromium writes on the console what its network refuses. Lines like this are no faults. */
  allow(said) {
    this.#allowed.push(said);
  }

  /** Takes the network from the pages, or gives it back. */
  async offline(isOffline) {
    await this.#context.setOffline(isOffline);
  }

  /** Loads a page, also anew: what it did before ends. */
  async load(page) {
    await page.goto(`${this.server.origin}/tests/browser/page.html`);
    await page.waitForFunction(() => globalThis.isReady);
  }

  /** Lets a page crash. */
  async crash(page) {
    const crashed = page.waitForEvent('crash');
    page.goto('chrome://crash').catch(() => {});
    await crashed;
    assert.deepEqual(this.faults, [CRASH]);
    this.faults.length = 0;
  }

  /** Lets the page or its worker do something. */
  async ask(page, where, ...asked) {
    return page.evaluate(([where, asked]) => globalThis.answer[where](...asked), [where, asked]);
  }

  /** How many bytes the server's pages may store. */
  async quota(page, quotaSize) {
    const session = await this.#context.newCDPSession(page);
    await session.send('Storage.overrideQuotaForOrigin', { origin: this.server.origin, quotaSize });
  }
}
