// Drives Chromium through the Swagger UI; see .ci/browser.
// Usage: node browser.mjs URL TOOLS_DIRECTORY PROFILE_DIRECTORY
import { join } from 'node:path';
import { open } from './chromium.mjs';

const [url, tools, profile] = process.argv.slice(2);

const PATH = '/v1/seminars';
const EXPECTED = 'first-seminar-2021';
const must = (condition, message) => { if (!condition) throw new Error(message); };

const contract = await (await fetch(`${url}/openapi.json`)).json();
const operation = contract.paths?.[PATH]?.get;
must(operation?.operationId && operation.tags?.length, `GET ${PATH} has no operationId or no tag`);
must(contract.tags?.length, 'the document names no tags');

const { context, page, problems } = await open(tools, profile, [new URL(url).origin], { width: 1280, height: 1600 });
try {
  try {
    const answer = await page.goto(`${url}/docs/`);
    must(answer?.status() === 200, `/docs/ answered ${answer?.status()}`);

    for (const { name } of contract.tags) {
      await page.locator(`.opblock-tag[data-tag=${JSON.stringify(name)}]`).waitFor()
        .catch(() => { throw new Error(`no section for the tag ${name}`); });
    }

    // Swagger UI writes a space in an id as "_" and escapes the rest as CSS does.
    const id = await page.evaluate(
      (parts) => `operations-${parts.map((part) => CSS.escape(part.trim().replace(/\s/g, '_'))).join('-')}`,
      [operation.tags[0], operation.operationId],
    );
    const block = page.locator(`[id=${JSON.stringify(id)}]`);
    if (!(await block.isVisible())) {
      await page.locator(`.opblock-tag[data-tag=${JSON.stringify(operation.tags[0])}]`).click();
    }
    await block.locator('.opblock-summary-control').click();
    await block.getByRole('button', { name: 'Try it out' }).click();
    await block.getByRole('button', { name: 'Execute' }).click();

    // The live table holds what the service answered, not the documented example.
    const live = block.locator('.live-responses-table .response');
    await live.waitFor();
    const status = (await live.locator('.response-col_status').innerText()).trim();
    const body = await live.locator('.response-col_description').innerText();
    must(/^200\b/.test(status), `GET ${PATH} answered ${status}`);
    must(body.includes(EXPECTED), `the live response does not hold ${EXPECTED}`);
    await live.scrollIntoViewIfNeeded();
  } catch (error) {
    problems.push(error.message);
  }
  await page.screenshot({ path: join(tools, 'swagger.png') });
} finally {
  await context.close();
}

if (problems.length > 0) {
  console.error(problems.map((problem) => `- ${problem}`).join('\n'));
  console.error('browser: FAILED');
  process.exit(1);
}
console.log(`browser: ${contract.tags.length} sections, GET ${PATH} answered 200 from the page`);
