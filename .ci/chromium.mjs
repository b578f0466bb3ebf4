// Opens headless Chromium for the checks that drive it.
import { createRequire } from 'node:module';
import { join } from 'node:path';

// Answers { context, page, problems }. Nothing may be fetched from elsewhere than origins: such a
// request is stopped and, like every error of the page, added to problems.
export async function open(tools, profile, origins, viewport) {
  const { chromium } = createRequire(join(tools, 'node/package.json'))('playwright-core');
  const problems = [];
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    headless: true,
    viewport,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
  });
  try {
    await context.route((target) => /^https?:$/.test(target.protocol) && !origins.includes(target.origin), (route) => {
      problems.push(`request to another origin: ${route.request().url()}`);
      return route.abort();
    });
    const page = context.pages()[0] ?? (await context.newPage());
    page.setDefaultTimeout(20_000);
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(`console error: ${message.text()}`);
    });
    page.on('pageerror', (error) => problems.push(`page error: ${error.message}`));
    return { context, page, problems };
  } catch (error) {
    await context.close();
    throw error;
  }
}
