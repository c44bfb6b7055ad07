import { words } from './row'

// Codes of the server (docs/reference). A code without a row here shows the server's own sentence.
export const problems = words({
  'problem.title': ['That did not work', '操作未成功'],
  'problem.code': ['Code {code}', '代码 {code}'],
  'problem.internal': ['The platform made an error. Try again; if it stays, quote the code.', '平台内部错误。请重试；如仍出现，请提供代码。'],
  'problem.unreachable': ['The platform does not answer. Check the network; we keep trying.', '平台无响应。请检查网络；系统会持续重试。'],
  'problem.invalid': ['Something in the form is not right. Check the marked fields.', '填写内容有误，请检查标出的项目。'],
  'problem.not_found': ['There is no such thing any more, or you may not see it.', '对象不存在，或您无权查看。'],
  'problem.conflict': ['Somebody changed it meanwhile. Look again and decide anew.', '对象已被他人修改，请重新查看后再操作。'],
  'problem.forbidden': ['You may not do this. Ask an administrator for the right.', '您没有此权限，请联系管理员。'],
  'problem.unauthenticated': ['Sign in first.', '请先登录。'],
  'problem.refused': ['The other side answered and said no.', '对方拒绝了请求。'],
  'problem.unavailable': ['The other side does not answer now. Try again later.', '对方暂无响应，请稍后重试。'],
  'problem.exhausted': ['A limit is reached. Free something, wait, or raise the limit.', '已达上限。请释放资源、稍候或调高上限。'],
  'problem.wrong_password': ['User name or password is wrong.', '用户名或密码错误。'],
  'problem.csrf': ['This page is old. Load it again.', '页面已过期，请刷新。'],
  'problem.not_json': ['Something between here and the platform answered instead of it.', '收到的应答并非来自平台，请检查中间的代理。'],
})
