// Drives Chromium through the page in examples/; see .ci/example.
// Usage: TOKEN=… node example.mjs URL TOOLS_DIRECTORY PROFILE_DIRECTORY
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { open } from './chromium.mjs';

const [url, tools, profile] = process.argv.slice(2);

const must = (condition, message) => { if (!condition) throw new Error(message); };
const now = new Date();
const day = (years) => new Date(Date.UTC(now.getUTCFullYear() + years, now.getUTCMonth(), 15)).toISOString().slice(0, 10);

async function api(method, path, body, headers = {}) {
  const answer = await fetch(url + path, {
    method,
    headers: { Authorization: `Bearer ${process.env.TOKEN}`, 'Content-Type': 'application/json', ...headers },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  must(answer.ok, `${method} ${path} answered ${answer.status}: ${text}`);
  return { tag: answer.headers.get('ETag'), body: text && JSON.parse(text) };
}

// What the page is to show: beside the first seminar, one to come, of which all is known, one of
// which only this year is known, and one of which the year is not.
const { project_id } = (await api('GET', '/v1/seminars/first-seminar-2021')).body;
const SEMINARS = [
  {
    slug: 'example-next-year', kind: 'conference', status: 'confirmed', format: 'hybrid', starts_on: day(1), ends_on: day(1),
    theme: { en: 'Forms & <b>fees</b>' },
    title: { en: 'Services without paper', ru: 'Услуги без бумаги', ko: '종이 없는 서비스' },
    venue: { city: { en: 'Astana', ru: 'Астана', kk: 'Астана', ko: '아스타나' }, country: 'KZ' },
    countries: [{ country: 'KZ', role: 'participating' }, { country: 'UZ', role: 'participating' }],
    registration_url: 'https://example.org/register',
  },
  { slug: 'example-this-year', kind: 'workshop', status: 'planned', starts_on: `${now.getFullYear()}` },
  { slug: 'example-some-year', kind: 'webinar', status: 'held', starts_on: 'XXXX-11-04' },
];

const pages = createServer(async (request, response) => {
  const path = new URL(request.url, 'http://page').pathname;
  const file = path === '/seminars.html' && await readFile(new URL('../examples/seminars.html', import.meta.url));
  response.writeHead(file ? 200 : 404, { 'Content-Type': 'text/html; charset=utf-8' }).end(file || 'no such page');
});
await new Promise((resolve) => pages.listen(0, '127.0.0.1', resolve));
const site = `http://127.0.0.1:${pages.address().port}`;

const { context, page, problems } = await open(tools, profile, [site, new URL(url).origin], { width: 1100, height: 1200 });
const created = [];
try {
  // Playwright answers preflights by itself and does not tell of them; the browser does.
  let requests = 0;
  const browser = await context.newCDPSession(page);
  await browser.send('Network.enable');
  browser.on('Network.requestWillBeSent', ({ request }) => {
    requests += 1;
    if (request.method !== 'GET') problems.push(`the page sent ${request.method} ${request.url}`);
  });

  const list = (section) => page.locator(`#${section} > ol > li`);
  const more = (section) => page.locator(`#${section} > button`);
  const settled = async () => {
    await page.waitForFunction(() => document.querySelectorAll('section[aria-busy=false]').length === 3);
  };
  const shows = async (place, ...expected) => {
    // Browsers differ in the spaces that they put into dates.
    const text = (await place.innerText()).replace(/\u00a0/g, ' ').replace(/\s*–\s*/g, '–');
    for (const part of expected) must(text.includes(part), `the page does not show "${part}" but: ${text}`);
  };
  const has = async (section, count) => {
    must(await list(section).count() === count, `${section} has ${await list(section).count()} seminars instead of ${count}`);
  };
  const fits = async (what) => {
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    must(over <= 0, `${what} is ${over} pixels too wide`);
  };
  const picture = (name) => page.screenshot({ path: join(tools, `example-${name}.png`), fullPage: true });
  const choose = async (language) => {
    await page.getByRole('combobox').selectOption(language);
    await settled();
    must(new URL(page.url()).searchParams.get('lang') === language, `the address does not keep lang=${language}`);
  };

  try {
    for (const seminar of SEMINARS) {
      const { tag, body } = await api('POST', '/v1/seminars?publish=true', { ...seminar, project_id });
      created.push({ path: `/v1/seminars/${body.id}`, tag });
    }

    await page.goto(`${site}/seminars.html?lang=en&api=${encodeURIComponent(url)}`);
    await settled();
    await has('upcoming', 2);
    await has('past', 1);
    await has('undated', 1);
    await shows(list('upcoming').nth(0), 'Workshop', 'Planned', `${now.getFullYear()}`);
    await shows(list('upcoming').nth(1), 'Services without paper', 'Forms & <b>fees</b>', 'Astana, Kazakhstan', 'Kazakhstan, Uzbekistan', 'Confirmed', 'On site and online', 'Register');
    await shows(list('past'), 'Seminar 1: Capacity building seminars on Governance Innovation and Digitalisation', 'more than 70 persons', '4–5 November 2021', 'Estonia');
    await shows(list('undated'), 'Webinar', '4 November');
    must(!(await list('undated').innerText()).match(/\d{4}/), 'a year was invented');

    await list('past').locator('summary').click();
    await list('past').getByText('Sources').waitFor();
    const { days } = (await api('GET', '/v1/seminars/first-seminar-2021/programme')).body;
    const speakers = days.flatMap(({ sessions }) => sessions.flatMap(({ presentations }) => presentations.flatMap((talk) => talk.speakers.map(({ name }) => name))));
    must(speakers.length === 10, `the first seminar has ${speakers.length} speakers`);
    await shows(list('past'), ...speakers, 'Day 2', '5 November 2021', 'Exchange of experience', 'Roadmap for digital transformation');
    must(!/undefined|null|false|unknown/i.test(await page.locator('main').innerText()), 'the page shows something that is not known');
    await fits('the wide page');
    await picture('wide');
    await page.emulateMedia({ colorScheme: 'dark' });
    await picture('dark');
    await page.emulateMedia({ colorScheme: 'light' });

    await page.setViewportSize({ width: 360, height: 800 });
    for (const [language, upcoming, past] of [
      ['en', [], []],
      ['kk', ['Тіркелу', 'Астана'], ['2021 ж. 4–5 қараша', '70 адамнан астам', 'Оңтүстік Корея']],
      ['ko', ['종이 없는 서비스', '참가 신청'], ['2021년 11월 4일', '70명 초과', '에스토니아']],
      ['ru', ['Услуги без бумаги', 'Регистрация'], ['4–5 ноября 2021 г.', 'более 70 человек', 'Казахстан']],
    ]) {
      await choose(language);
      await list('past').locator('summary').click();
      await list('past').locator('details h4').first().waitFor();
      await shows(list('upcoming').nth(1), ...upcoming);
      await shows(list('past'), ...past);
      await fits(`the narrow page in ${language}`);
    }
    await shows(page.locator('body'), 'Семинары', 'Язык', 'Предстоящие и текущие', 'Прошедшие', 'Программа', 'Источники', 'Обмен опытом');
    await picture('narrow');

    // The same page by pages of one seminar.
    await context.route((target) => target.pathname === '/v1/seminars', (route) => route.continue({ url: `${route.request().url()}&limit=1` }));
    await page.reload();
    await settled();
    await has('undated', 1);
    await more('undated').click();
    await more('undated').waitFor({ state: 'hidden' });
    await has('undated', 1);
    await more('past').click();
    await list('past').waitFor();
    await more('past').waitFor({ state: 'hidden' });
    await has('past', 1);
    await has('upcoming', 2);
    must(await page.evaluate(() => document.activeElement.closest('#past h3') !== null), 'the new seminar is not focused');
    must(requests > 20, `only ${requests} requests were seen`);

    // A problem is told in the words of the registry. It is an error for the browser, so on a page that nobody listens to.
    const wrong = await context.newPage();
    await wrong.goto(`${site}/seminars.html?lang=en&api=${encodeURIComponent(`${url}/nowhere`)}`);
    await shows(wrong.getByRole('alert').filter({ hasText: /./ }), 'There is nothing at this address');
  } catch (error) {
    problems.push(error.message);
    await picture('failed');
  }
} finally {
  for (const { path, tag } of created) await api('DELETE', path, undefined, { 'If-Match': tag });
  await context.close();
  pages.close();
}

if (problems.length > 0) {
  console.error(problems.map((problem) => `- ${problem}`).join('\n'));
  console.error('example: FAILED');
  process.exit(1);
}
console.log('example: the page shows the seminars of another origin, in four languages');
